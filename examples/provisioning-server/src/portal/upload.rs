//! Forms with files, as browsers send them: `multipart/form-data` (RFC 7578).

/// The most fields that such a form may have.
const FIELDS: usize = 64;

/// The most bytes of the boundary between the fields (RFC 2046 section 5.1.1).
const BOUNDARY: usize = 70;

/// Returns the boundary of a form with files; nothing if the media type is another one.
pub(super) fn boundary(kind: &str) -> Option<&str> {
    let (essence, parameters) = kind.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    let bare = named.trim_matches('"');
    (1..=BOUNDARY).contains(&bare.len()).then_some(bare)
}

/// Returns the names and texts of the fields. A file is read as text, in which bytes that are not UTF-8 are replaced by
/// U+FFFD. Nothing is returned if the body does not end as it should, or has too many fields.
pub(super) fn fields(body: &[u8], boundary: &str) -> Option<Vec<(String, String)>> {
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(delimiter.get(2..)?.as_bytes())?;
    let mut found = Vec::new();
    while !rest.starts_with(b"--") {
        let (head, content) = split(rest.strip_prefix(b"\r\n")?, b"\r\n\r\n")?;
        let (content, next) = split(content, delimiter.as_bytes())?;
        if found.len() == FIELDS {
            return None;
        }
        let name = name(std::str::from_utf8(head).ok()?)?;
        found.push((name, String::from_utf8_lossy(content).into_owned()));
        rest = next;
    }
    Some(found)
}

fn split<'b>(bytes: &'b [u8], at: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let place = bytes.windows(at.len()).position(|window| window == at)?;
    Some((bytes.get(..place)?, bytes.get(place + at.len()..)?))
}

/// Returns the name of the field whose head this is.
fn name(head: &str) -> Option<String> {
    let disposition = head.split("\r\n").find_map(|line| {
        let (header, value) = line.split_once(':')?;
        header
            .eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    let (_, named) = disposition.split_once("; name=\"")?;
    let (name, _) = named.split_once('"')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIND: &str = "multipart/form-data; boundary=----WebKitFormBoundary7MA4";

    /// Writes a form as browsers do (RFC 7578 section 4).
    fn written(fields: &[(String, Vec<u8>)], boundary: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, content) in fields {
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x; name=.xml\"\r\n\
                 Content-Type: text/xml\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        body
    }

    /// RFC 7578 section 4.1: the boundary stands in the media type, quoted or not.
    #[test]
    fn a_boundary_is_found_in_the_media_type() {
        assert_eq!(boundary(KIND), Some("----WebKitFormBoundary7MA4"));
        assert_eq!(
            boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""),
            Some("a b")
        );
        for bad in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=x",
            "application/x-www-form-urlencoded; boundary=x",
        ] {
            assert_eq!(boundary(bad), None, "{bad}");
        }
    }

    /// RFC 7578 section 4.2: a field is known by its name, whatever the name of the file; bytes that are not text leave a
    /// mark.
    #[test]
    fn a_file_is_read_as_text() {
        let body = written(
            &[
                ("metadata-file".to_owned(), b"<x/>\r\n".to_vec()),
                ("picture".to_owned(), b"\x89PNG\r\n\x1a".to_vec()),
                ("nothing".to_owned(), Vec::new()),
            ],
            "b",
        );
        let texts = [
            ("metadata-file", "<x/>\r\n"),
            ("picture", "\u{fffd}PNG\r\n\u{1a}"),
            ("nothing", ""),
        ];
        let expected = texts.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(fields(&body, "b").unwrap(), expected);
    }

    /// RFC 2046 section 5.1.1: what does not end with the closing delimiter was cut off.
    #[test]
    fn what_is_no_form_is_refused() {
        let many = vec![("a".to_owned(), Vec::new()); FIELDS + 1];
        assert!(fields(&written(&many[1..], "b"), "b").is_some());
        assert!(fields(&written(&many, "b"), "b").is_none());
        for bad in [&b""[..], b"--b", b"--b\r\n\r\n\r\n--b--", b"x--b--", b"--c--"] {
            assert!(fields(bad, "b").is_none(), "{bad:?}");
        }
        assert_eq!(fields(b"--b--", "b"), Some(Vec::new()));
    }

    proptest! {
        /// RFC 7578: what a browser has written is read as it was, and no beginning of it is taken for the whole.
        #[test]
        fn a_form_is_read_as_it_was_written(
            sent in proptest::collection::vec(("[a-z-]{1,9}", "(?s).{0,40}"), 0..5), cut in 0_usize..400,
        ) {
            let bytes: Vec<_> = sent.iter().map(|(name, text)| (name.clone(), text.clone().into_bytes())).collect();
            let body = written(&bytes, "----b0undary");
            let read = fields(&body, "----b0undary").unwrap();
            prop_assert_eq!(&read, &sent);
            let end = body.len() - b"--\r\n".len();
            let part = body.get(..cut.min(end)).unwrap();
            prop_assert!(fields(part, "----b0undary").is_none());
        }
    }
}
