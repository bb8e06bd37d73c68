//! A client that keeps several connections busy and counts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use scim_tests::{Failure, check};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The next request of a connection, as bytes to send.
pub(super) type Requests = Arc<dyn Fn(usize) -> Vec<u8> + Send + Sync>;

/// A server, and what it is asked.
#[derive(Clone)]
pub(super) struct Side {
    pub(super) address: SocketAddr,
    pub(super) requests: Requests,
}

/// The results of a round.
pub(super) struct Round {
    pub(super) per_second: f64,
    /// Of half of the requests, the answer came within this.
    pub(super) median: Duration,
}

/// Asks for about `duration` on so many connections; each sends its next request when its last one is answered.
/// Every answer has to be a success.
pub(super) async fn drive(side: &Side, connections: usize, duration: Duration) -> Result<Round, Failure> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(side.address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let start = Instant::now();
    let end = start + duration;
    let mut tasks = JoinSet::new();
    for (number, stream) in streams.into_iter().enumerate() {
        let requests = Arc::clone(&side.requests);
        tasks.spawn(async move { converse(stream, || requests(number), end).await });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.append(&mut done.map_err(|e| Failure::new(e.to_string()))??);
    }
    let elapsed = start.elapsed().as_secs_f64();
    let count = times.len();
    check(count > 0, || "no request was answered".to_owned())?;
    times.sort_unstable();
    Ok(Round {
        per_second: count as f64 / elapsed,
        median: times.get(count / 2).copied().unwrap_or_default(),
    })
}

async fn converse(
    mut stream: TcpStream,
    next: impl Fn() -> Vec<u8>,
    end: Instant,
) -> Result<Vec<Duration>, Failure> {
    let mut buffer = Vec::with_capacity(1 << 17);
    let mut times = Vec::new();
    while Instant::now() < end {
        let request = next();
        let sent = Instant::now();
        stream.write_all(&request).await?;
        buffer.clear();
        while !is_answered(&buffer)? {
            check(stream.read_buf(&mut buffer).await? > 0, || {
                format!(
                    "the server closed the connection after {}",
                    String::from_utf8_lossy(&buffer)
                )
            })?;
        }
        times.push(sent.elapsed());
    }
    Ok(times)
}

/// Returns whether these bytes are a whole answer.
fn is_answered(bytes: &[u8]) -> Result<bool, Failure> {
    let Some(end) = position(bytes, b"\r\n\r\n") else {
        return Ok(false);
    };
    let (head, rest) = bytes.split_at(end);
    let body = rest.get(4..).unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let status = head.get(9..12).unwrap_or_default();
    check(status.starts_with('2'), || {
        format!("not a success: {head} {}", String::from_utf8_lossy(body))
    })?;
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    Ok(match header("content-length") {
        Some(length) => length.parse().is_ok_and(|length: usize| body.len() >= length),
        None if header("transfer-encoding").is_some() => body.ends_with(b"0\r\n\r\n"),
        None => true,
    })
}

fn position(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}
