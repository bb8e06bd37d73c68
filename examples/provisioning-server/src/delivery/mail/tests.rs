//! Delivery against a mail server that says what a test lets it say.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use super::settings::{Imprint, Protection, Said, sender};
use super::{Counts, Delivery};
use crate::database::mail::{self, Queued};
use crate::database::{Product, product_of_test};
use crate::domain::mail::{Link, Mail, Recipient, State};
use crate::domain::public_url::PublicUrl;

const LINK: &str = "/instance/link/Secret0";

/// How the server speaks.
#[derive(Clone)]
enum Speech {
    /// It offers nothing, and answers the end of a mail so; without an answer it waits.
    Plain(Option<&'static str>),
    /// TLS from the first byte.
    Tls(TlsAcceptor),
    /// TLS after STARTTLS.
    StartTls(TlsAcceptor),
}

/// A server that tells of all lines that it reads.
struct Server {
    port: u16,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Server {
    async fn new(speech: Speech) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (speech, sender) = (speech.clone(), sender.clone());
                tokio::spawn(async move {
                    match speech {
                        Speech::Plain(answer) => drop(converse(stream, answer, false, true, &sender).await),
                        Speech::Tls(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                drop(converse(stream, Some("250 ok"), false, true, &sender).await);
                            }
                        }
                        Speech::StartTls(acceptor) => {
                            let Some(stream) = converse(stream, None, true, true, &sender).await else {
                                return;
                            };
                            let stream = acceptor.accept(stream).await.unwrap();
                            drop(converse(stream, Some("250 ok"), false, false, &sender).await);
                        }
                    }
                });
            }
        });
        Self { port, lines }
    }

    /// Returns the lines up to the end of the next mail, or of what was said without one.
    async fn next(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = self.lines.recv().await {
            let is_end = line == ".";
            lines.push(line);
            if is_end {
                break;
            }
        }
        lines
    }
}

/// Speaks SMTP until the end, or until TLS is to begin.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    answer: Option<&'static str>,
    offers_tls: bool,
    greets: bool,
    lines: &mpsc::UnboundedSender<String>,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    let mut say = if greets { "220 mail.example\r\n" } else { "" };
    let mut is_data = false;
    loop {
        stream.write_all(say.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        _ = lines.send(line.to_owned());
        say = match line {
            "." if is_data => {
                is_data = false;
                match answer {
                    Some("250 ok") => "250 ok\r\n",
                    Some(_) => {
                        stream.write_all(answer?.as_bytes()).await.ok()?;
                        "\r\n"
                    }
                    None => std::future::pending().await,
                }
            }
            _ if is_data => "",
            "DATA" => {
                is_data = true;
                "354 go on\r\n"
            }
            "STARTTLS" => {
                stream.write_all(b"220 go on\r\n").await.ok()?;
                stream.flush().await.ok()?;
                return Some(stream.into_inner());
            }
            line if line.starts_with("EHLO") && offers_tls => "250-mail.example\r\n250 STARTTLS\r\n",
            line if line.starts_with("EHLO") => "250-mail.example\r\n250 AUTH PLAIN\r\n",
            line if line.starts_with("AUTH") => "235 ok\r\n",
            _ => "250 ok\r\n",
        };
    }
}

/// Makes a certificate for `localhost`, and an acceptor of connections with it.
fn authority() -> (Vec<u8>, TlsAcceptor) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
        )
        .unwrap();
    (pem.into_bytes(), TlsAcceptor::from(Arc::new(config)))
}

struct Bench {
    product: Arc<Product>,
    counts: Arc<Counts>,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// Makes a bench with one invitation.
    async fn new() -> Self {
        let (product, folder) = product_of_test().await;
        let keys = product.keys().clone();
        let queued = product.write(move |tx| {
            let now = Timestamp::now();
            let to = Recipient {
                account: None,
                address: "ann@x.example".to_owned(),
            };
            let ends = now.checked_add(SignedDuration::from_hours(24)).unwrap();
            let mail = Mail::invitation(to, Link::parse(LINK).unwrap(), ends);
            Ok(Ok(mail::queue(tx, &keys, Uuid::nil(), now, &mail)?))
        });
        queued.await.unwrap();
        Self {
            product: Arc::new(product),
            counts: Arc::default(),
            _folder: folder,
        }
    }

    fn deliver(&self, server: &Server, said: Said) -> (JoinHandle<()>, watch::Sender<bool>) {
        let said = Said {
            host: Some("localhost".to_owned()),
            port: Some(server.port),
            from: Some(sender("no-reply@server.example").unwrap()),
            ..said
        };
        let imprint = Imprint {
            product: "Provisioning".to_owned(),
            base: PublicUrl::parse("https://server.example").unwrap(),
        };
        let (stop, stopped) = watch::channel(false);
        let smtp = said.smtp().unwrap().unwrap();
        let (product, counts) = (Arc::clone(&self.product), Arc::clone(&self.counts));
        let delivery = Delivery::new(product, smtp, imprint, 60, counts, stopped);
        (tokio::spawn(delivery.run()), stop)
    }

    async fn mail(&self) -> Queued {
        let found = self
            .product
            .read(|reader| mail::list(reader, Uuid::nil(), None, None, 1));
        found.await.unwrap().remove(0)
    }

    /// Waits until the mail is as asked.
    async fn until(&self, is_so: impl Fn(&Queued) -> bool) -> Queued {
        for _ in 0..600 {
            let found = self.mail().await;
            if is_so(&found) {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{:?}", self.mail().await);
    }
}

fn plain() -> Said {
    Said {
        protection: Some(Protection::None),
        ..Said::default()
    }
}

fn has(lines: &[String], text: &str) -> bool {
    lines.concat().replace('=', "").contains(text)
}

/// Feature row 20: a mail that was handed over by a process that ended before it could note so has the same link when it is
/// sent once more, and the same Message-ID; the link is gone from the database when it is sent.
#[tokio::test]
async fn after_a_crash_the_link_is_the_same() {
    let bench = Bench::new().await;
    let mut server = Server::new(Speech::Plain(None)).await;
    let (crashing, _stop) = bench.deliver(&server, plain());
    let first = server.next().await;
    crashing.abort();
    assert!(bench.mail().await.has_link());
    let lapsed = bench.product.write(|tx| {
        tx.execute("UPDATE mail SET due = 1", &[])?;
        Ok(Ok(()))
    });
    lapsed.await.unwrap();
    let mut server = Server::new(Speech::Plain(Some("250 ok"))).await;
    let (_going_on, _stop) = bench.deliver(&server, plain());
    let second = server.next().await;
    let id = |lines: &[String]| lines.iter().find(|line| line.starts_with("Message-ID")).cloned();
    assert_eq!(id(&first).unwrap(), id(&second).unwrap());
    for lines in [&first, &second] {
        assert!(
            has(lines, "https://server.example/instance/link/Secret0"),
            "{lines:#?}"
        );
    }
    let sent = bench.until(|mail| mail.state == State::Sent).await;
    assert!(!sent.has_link());
}

/// Feature row 92: a mail server that repeats a link in its refusal does not put it before those who read why.
#[tokio::test]
async fn a_refusal_that_repeats_the_link_does_not_show_it() {
    let bench = Bench::new().await;
    let server = Server::new(Speech::Plain(Some(
        "554 suspicious: https://server.example/instance/link/Secret0",
    )))
    .await;
    let (_sending, _stop) = bench.deliver(&server, plain());
    let failed = bench.until(|mail| mail.state == State::Failed).await;
    assert_eq!(
        failed.error.as_deref(),
        Some("554 suspicious: https://server.example/instance/link/…")
    );
    assert_eq!(bench.counts.refused.load(Ordering::Relaxed), 1);
}

/// Feature rows 92, 94: neither a mail nor the password is sent to a server that has no TLS where it is asked for, or a
/// certificate that is not believed; with TLS both are.
#[tokio::test]
async fn nothing_is_said_without_the_tls_that_was_asked_for() {
    let (pem, acceptor) = authority();
    let secret = |protection, authorities: Option<&[u8]>| Said {
        protection: Some(protection),
        authorities: authorities.map(<[u8]>::to_vec),
        user: Some("ann".to_owned()),
        password: Some("hush".to_owned()),
        ..Said::default()
    };
    let good = |protection| secret(protection, Some(&pem));
    for (speech, said) in [
        (Speech::Plain(Some("250 ok")), good(Protection::StartTls)),
        (Speech::Plain(Some("250 ok")), good(Protection::Tls)),
        (Speech::Tls(acceptor.clone()), secret(Protection::Tls, None)),
        (
            Speech::StartTls(acceptor.clone()),
            secret(Protection::StartTls, None),
        ),
        (
            Speech::Tls(acceptor.clone()),
            secret(Protection::Tls, Some(&authority().0)),
        ),
    ] {
        let bench = Bench::new().await;
        let mut server = Server::new(speech).await;
        let (sending, _stop) = bench.deliver(&server, said);
        while !bench.counts.is_in_trouble() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        sending.abort();
        server.lines.close();
        let said = server.next().await;
        assert!(
            !said
                .iter()
                .any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")),
            "{said:?}"
        );
        assert_eq!(bench.mail().await.state, State::Queued);
    }
    for (speech, said) in [
        (Speech::Tls(acceptor.clone()), good(Protection::Tls)),
        (Speech::StartTls(acceptor), good(Protection::StartTls)),
    ] {
        let bench = Bench::new().await;
        let mut server = Server::new(speech).await;
        let (_sending, _stop) = bench.deliver(&server, said);
        let said = server.next().await;
        assert!(said.iter().any(|line| line.starts_with("AUTH PLAIN")), "{said:?}");
        bench.until(|mail| mail.state == State::Sent).await;
    }
}
