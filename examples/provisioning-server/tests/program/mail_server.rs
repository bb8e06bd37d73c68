//! A mail server that keeps what it is sent, and refuses, hangs or breaks off as a test asks of it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How the server behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It takes everything.
    Takes,
    /// It answers the recipient so.
    AnswersRecipient(&'static str),
    /// It answers the sender so.
    AnswersSender(&'static str),
    /// It takes connections, and says nothing.
    SaysNothing,
    /// It reads the whole mail, and never says that it has taken it.
    HoldsBack,
}

/// A mail as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub from: String,
    pub to: String,
    /// Header and body, with lines as they were before the dots.
    pub data: String,
}

impl Received {
    /// Returns the value of a field of the header.
    pub fn field(&self, name: &str) -> String {
        let (head, _) = self.data.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", " ");
        let begin = format!("{}: ", name.to_lowercase());
        let found = head.lines().find(|line| line.to_lowercase().starts_with(&begin));
        found.unwrap()[begin.len()..].to_owned()
    }

    /// Returns the bodies in it, with their soft ends of lines undone.
    pub fn parts(&self) -> Vec<String> {
        let kind = self.field("Content-Type");
        let (_, border) = kind.split_once("boundary=\"").unwrap();
        let border = format!("--{}", border.trim_end_matches('"'));
        let parts = self.data.split(&border).skip(1);
        parts
            .take_while(|part| !part.starts_with("--"))
            .filter_map(|part| part.split_once("\r\n\r\n"))
            .map(|(_, body)| body.replace("=\r\n", "").replace("=3D", "="))
            .collect()
    }
}

/// A mail server on a free port of this machine.
pub struct MailServer {
    pub port: String,
    manner: Arc<Mutex<Manner>>,
    received: Receiver<Received>,
    connected: Receiver<()>,
}

impl MailServer {
    pub fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let manner = Arc::new(Mutex::new(manner));
        let (sender, received) = channel();
        let (connects, connected) = channel();
        let shared = Arc::clone(&manner);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                _ = connects.send(());
                let (shared, sender) = (Arc::clone(&shared), sender.clone());
                std::thread::spawn(move || _ = serve(&stream, &shared, &sender));
            }
        });
        Self {
            port,
            manner,
            received,
            connected,
        }
    }

    /// Flags with which a server sends by this one.
    pub fn flags(&self) -> [&str; 8] {
        [
            "--smtp-host",
            "127.0.0.1",
            "--smtp-port",
            &self.port,
            "--smtp-tls",
            "none",
            "--mail-from",
            "Provisioning <no-reply@server.example>",
        ]
    }

    /// Behaves otherwise from now on.
    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Waits for the next mail, and returns it.
    pub fn next(&self) -> Received {
        self.received.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    /// Returns whether no other mail has come yet.
    pub fn is_empty(&self) -> bool {
        self.received.try_recv().is_err()
    }

    /// Waits until somebody connects.
    pub fn await_connection(&self) {
        self.connected.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}

fn serve(stream: &TcpStream, manner: &Mutex<Manner>, received: &Sender<Received>) -> std::io::Result<()> {
    let manner = || *manner.lock().unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let mut writer = stream;
    let mut say = |text: &str| writer.write_all(format!("{text}\r\n").as_bytes());
    if manner() == Manner::SaysNothing {
        while reader.read_line(&mut line)? > 0 {}
        return Ok(());
    }
    say("220 mail.example")?;
    let (mut from, mut to) = (String::new(), String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_owned();
        match (command.split([' ', ':']).next().unwrap_or_default(), manner()) {
            ("EHLO", _) => say("250-mail.example\r\n250 8BITMIME")?,
            ("MAIL", Manner::AnswersSender(answer)) | ("RCPT", Manner::AnswersRecipient(answer)) => {
                say(answer)?;
            }
            ("MAIL", _) => {
                from = address(&command);
                say("250 ok")?;
            }
            ("RCPT", _) => {
                to = address(&command);
                say("250 ok")?;
            }
            ("DATA", _) => {
                say("354 go on")?;
                let data = read_data(&mut reader)?;
                _ = received.send(Received {
                    from: from.clone(),
                    to: to.clone(),
                    data,
                });
                if manner() == Manner::HoldsBack {
                    while reader.read_line(&mut line)? > 0 {}
                    return Ok(());
                }
                say("250 taken")?;
            }
            ("QUIT", _) => return say("221 bye"),
            _ => say("250 ok")?,
        }
    }
}

fn address(command: &str) -> String {
    let (_, rest) = command.split_once('<').unwrap();
    rest.split('>').next().unwrap().to_owned()
}

fn read_data(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == ".\r\n" {
            return Ok(data);
        }
        data += line.strip_prefix('.').unwrap_or(&line);
    }
}
