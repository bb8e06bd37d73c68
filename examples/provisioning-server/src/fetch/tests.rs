//! Fetches, and the places that they may go to.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

fn fetcher(opened: &str) -> Fetcher {
    Fetcher::new(Networks::parse(opened).unwrap())
}

/// Answers each connection with the same bytes, and returns the port.
async fn server(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            _ = stream.read(&mut [0; 4_096]).await;
            _ = stream.write_all(&answer).await;
        }
    });
    port
}

fn ok(body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut bytes = std::mem::take(&mut answer).into_bytes();
    bytes.extend(body);
    bytes
}

async fn refused(fetcher: &Fetcher, url: &str) -> String {
    fetcher.get(url, 100).await.unwrap_err().to_string()
}

/// Feature row 93: the forms in which an address inside can be written.
#[tokio::test]
async fn addresses_inside_are_refused_however_they_are_written() {
    for url in [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://[fd00::1]/",
    ] {
        let why = refused(&Fetcher::default(), url).await;
        assert!(why.contains("not one of the public internet"), "{url}: {why}");
    }
}

/// Feature row 93: a name is judged by what it leads to.
#[tokio::test]
async fn a_name_that_leads_inside_is_refused() {
    let port = server(ok(b"secret")).await;
    for scheme in ["http", "https"] {
        let why = refused(&Fetcher::default(), &format!("{scheme}://localhost:{port}/")).await;
        assert!(why.contains("not one of the public internet"), "{why}");
    }
    let opened = fetcher("127.0.0.0/8,::1");
    let read = opened
        .get(&format!("http://localhost:{port}/"), 100)
        .await
        .unwrap();
    assert_eq!(&read[..], b"secret");
}

/// Feature row 93: of several addresses of a name, one inside is enough to refuse it.
#[test]
fn one_address_inside_refuses_a_name() {
    let gate = fetcher("").gate(&Url::parse("https://x.example/").unwrap());
    let at = |text: &str| SocketAddr::new(text.parse().unwrap(), 0);
    assert_eq!(gate.pass(vec![at("8.8.8.8")]).unwrap().count(), 1);
    for inside in ["127.0.0.1", "10.0.0.1", "fe80::1"] {
        assert!(gate.pass(vec![at("8.8.8.8"), at(inside)]).is_err(), "{inside}");
    }
    let plain = fetcher("").gate(&Url::parse("http://x.example/").unwrap());
    assert!(plain.pass(vec![at("8.8.8.8")]).is_err());
}

/// Feature row 93: only https, without credentials, and http only where the operator has opened the network.
#[tokio::test]
async fn only_urls_of_https_are_fetched() {
    for (url, why) in [
        ("ftp://x.example/", "expected an https URL"),
        ("file:///etc/passwd", "expected an https URL"),
        ("x", "expected an https URL"),
        ("https://u:p@x.example/", "user name or password"),
        ("http://8.8.8.8/", "expected https"),
    ] {
        let said = refused(&Fetcher::default(), url).await;
        assert!(said.contains(why), "{url}: {said}");
    }
}

/// Feature row 93: a redirect is not followed, and nothing of an answer is told but its status.
#[tokio::test]
async fn of_an_answer_only_the_status_is_told() {
    let opened = fetcher("127.0.0.1");
    for (status, told) in [
        (
            "302 Found\r\nlocation: http://127.0.0.1:1/inside",
            "302, which leads elsewhere",
        ),
        ("404 Not Found", "404"),
        ("500 Oops", "500"),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret");
        let port = server(answer.into_bytes()).await;
        let said = refused(&opened, &format!("http://127.0.0.1:{port}/")).await;
        assert!(said.contains(told), "{said}");
        assert!(!said.contains("secret") && !said.contains("inside"), "{said}");
    }
}

/// Feature row 93: what is longer than it may be is not read to its end.
#[tokio::test]
async fn a_long_answer_is_cut_off() {
    let port = server(ok(&[b'x'; 101])).await;
    let said = refused(&fetcher("127.0.0.1"), &format!("http://127.0.0.1:{port}/")).await;
    assert!(said.contains("longer than 100 bytes"), "{said}");
    let endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".iter().copied();
    let port = server(endless.chain(std::iter::repeat_n(b'x', 100_000)).collect()).await;
    let said = refused(&fetcher("127.0.0.1"), &format!("http://127.0.0.1:{port}/")).await;
    assert!(said.contains("longer than 100 bytes"), "{said}");
}
