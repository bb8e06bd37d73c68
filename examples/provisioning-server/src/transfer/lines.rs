//! The lines of a file, read in bounded memory, whatever is in it.

use std::io::{self, BufRead};

use sha2::{Digest, Sha256};

/// The longest line that is taken: a resource is larger than a request that makes it only after many changes.
pub(super) const LONGEST: usize = 32 << 20;

/// A place between two lines, with what leads up to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Mark {
    pub(super) bytes: u64,
    pub(super) lines: u64,
    digest: Sha256,
}

impl Mark {
    /// Returns the SHA-256 of everything before it.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }
}

/// The outcome of a read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A line, without its end.
    Line(Vec<u8>),
    /// A line that is longer than [`LONGEST`]; it was passed over.
    TooLong,
    /// The text behind the last line's end.
    Unfinished(Vec<u8>),
    /// Nothing is left.
    End,
}

/// Reads lines and remembers where it is.
pub(super) struct Lines<R> {
    input: R,
    mark: Mark,
    longest: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            mark: Mark::default(),
            longest: LONGEST,
        }
    }

    /// Returns the position at which the next line begins.
    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Reads the next line.
    pub(super) fn next(&mut self) -> io::Result<Read> {
        let mut line = Vec::new();
        let mut is_too_long = false;
        loop {
            let there = match self.input.fill_buf() {
                Ok(there) => there,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if there.is_empty() {
                return Ok(match (is_too_long, line.is_empty()) {
                    (false, true) => Read::End,
                    _ => Read::Unfinished(line),
                });
            }
            let end = there.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(there.len(), |end| end + 1);
            let bytes = there.get(..taken).unwrap_or(there);
            self.mark.digest.update(bytes);
            is_too_long |= line.len() + bytes.len() > self.longest;
            match is_too_long {
                true => line = Vec::new(),
                false => line.extend_from_slice(bytes),
            }
            self.input.consume(taken);
            self.mark.bytes += u64::try_from(taken).unwrap_or(u64::MAX);
            if end.is_some() {
                self.mark.lines += 1;
                _ = line.pop();
                return Ok(if is_too_long {
                    Read::TooLong
                } else {
                    Read::Line(line)
                });
            }
        }
    }

    /// Passes over so many bytes, which must end with a line and be those that have this digest; `false` if they are
    /// others.
    pub(super) fn pass(&mut self, bytes: u64, digest: &[u8; 32]) -> io::Result<bool> {
        while self.mark.bytes < bytes {
            if matches!(self.next()?, Read::End | Read::Unfinished(_)) {
                return Ok(false);
            }
        }
        Ok(self.mark.bytes == bytes && self.mark.digest() == *digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8], longest: usize, buffer: usize) -> Vec<Read> {
        let mut lines = Lines {
            longest,
            ..Lines::new(io::BufReader::with_capacity(buffer, text))
        };
        let mut all = Vec::new();
        loop {
            let read = lines.next().unwrap();
            let ends = matches!(read, Read::End | Read::Unfinished(_));
            all.push(read);
            if ends {
                assert_eq!(lines.mark().bytes, text.len() as u64);
                return all;
            }
        }
    }

    fn line(text: &str) -> Read {
        Read::Line(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_come_one_by_one_however_they_are_read() {
        for buffer in 1..9 {
            assert_eq!(
                all(b"one\n\ntwo\r\n", 100, buffer),
                [line("one"), line(""), line("two\r"), Read::End]
            );
            assert_eq!(
                all(b"one\ntw", 100, buffer),
                [line("one"), Read::Unfinished(b"tw".to_vec())]
            );
            assert_eq!(
                all(b"1234\n12345\n1\n", 5, buffer),
                [line("1234"), Read::TooLong, line("1"), Read::End]
            );
            assert_eq!(all(b"123456", 5, buffer), [Read::Unfinished(Vec::new())]);
        }
        assert_eq!(all(b"", 100, 8), [Read::End]);
    }

    #[test]
    fn a_file_that_begins_otherwise_is_not_gone_on_with() {
        let mut begun = Lines::new(&b"one\ntwo\nthree\n"[..]);
        begun.next().unwrap();
        begun.next().unwrap();
        let (bytes, digest) = (begun.mark().bytes, begun.mark().digest());
        let goes_on = |text: &'static [u8]| Lines::new(text).pass(bytes, &digest).unwrap();
        assert!(goes_on(b"one\ntwo\nthree corrected\n"));
        assert!(goes_on(b"one\ntwo\n"));
        for other in [
            &b"one\ntwx\nthree\n"[..],
            b"one\ntwo and more\n",
            b"one\n",
            b"one\ntwo",
            b"",
        ] {
            assert!(!goes_on(other), "{other:?}");
        }
    }
}
