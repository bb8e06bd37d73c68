//! A collector of traces that keeps what it is sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message;

/// A request as it came: line and headers, and the body.
#[derive(Debug, Clone)]
pub struct Post {
    pub head: String,
    pub body: Vec<u8>,
}

/// A span, as it describes itself.
#[derive(Debug, Clone)]
pub struct Span {
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub kind: i32,
    pub state: String,
    /// 2 is an error.
    pub status: i32,
    pub attributes: BTreeMap<String, String>,
    pub begin: u64,
    pub end: u64,
    pub events: usize,
    /// The attributes of the whole program.
    pub resource: BTreeMap<String, String>,
}

/// A collector on a free port of this machine.
pub struct Collector {
    pub url: String,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Collector {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let posts = Arc::<Mutex<Vec<Post>>>::default();
        let kept = Arc::clone(&posts);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(&stream, &kept));
            }
        });
        Self { url, posts }
    }

    pub fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn spans(&self) -> Vec<Span> {
        let decode = |post: Post| ExportTraceServiceRequest::decode(post.body.as_slice()).unwrap();
        self.posts()
            .into_iter()
            .map(decode)
            .flat_map(|request| request.resource_spans)
            .flat_map(|of_resource| {
                let resource = attributes(of_resource.resource.unwrap().attributes);
                let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
                spans.map(move |span| seen(span, &resource)).collect::<Vec<_>>()
            })
            .collect()
    }
}

fn serve(stream: &TcpStream, posts: &Mutex<Vec<Post>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let lower = head.to_lowercase();
        let length = lower
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        posts.lock().unwrap().push(Post { head, body });
        let mut stream = stream;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
    }
}

fn seen(span: opentelemetry_proto::tonic::trace::v1::Span, resource: &BTreeMap<String, String>) -> Span {
    Span {
        name: span.name,
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        kind: span.kind,
        state: span.trace_state,
        status: span.status.unwrap_or_default().code,
        attributes: attributes(span.attributes),
        begin: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
        events: span.events.len(),
        resource: resource.clone(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attributes(list: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<AnyValue>| match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    list.into_iter()
        .map(|pair| (pair.key, text(pair.value)))
        .collect()
}
