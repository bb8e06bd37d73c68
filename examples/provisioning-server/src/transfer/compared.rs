//! A file that holds the beginning of what is to be written.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// Writes into a file that may hold the same already. Bytes that are the same are left alone; from the first difference on, the
/// file is cut and written. In the end it holds what was written, and nothing else.
///
/// So an export that was interrupted goes on where it ended, if nothing has changed; and if something has, the file is
/// nevertheless one state of the organization, and not two halves that do not fit.
pub(crate) struct Compared {
    side: Side,
    /// Bytes that were the same.
    kept: u64,
}

enum Side {
    /// Everything so far is in the file.
    Same(BufReader<File>),
    /// It is being written.
    Writing(BufWriter<File>),
}

impl Compared {
    /// Begins at the start of a file.
    pub(crate) fn new(mut file: File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        Ok(Self {
            side: Side::Same(BufReader::with_capacity(64 << 10, file)),
            kept: 0,
        })
    }

    /// Cuts off what is left over, and waits until the file is on the disk. Answers how many bytes were there already.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        if matches!(self.side, Side::Same(_)) {
            self.begin_to_write()?;
        }
        if let Side::Writing(file) = self.side {
            file.into_inner()?.sync_all()?;
        }
        Ok(self.kept)
    }

    fn begin_to_write(&mut self) -> io::Result<()> {
        if let Side::Same(file) = &mut self.side {
            let mut file = file.get_mut().try_clone()?;
            file.set_len(self.kept)?;
            file.seek(SeekFrom::Start(self.kept))?;
            self.side = Side::Writing(BufWriter::with_capacity(256 << 10, file));
        }
        Ok(())
    }

    /// Counts the bytes with which the file goes on as `bytes` do.
    fn compare(file: &mut BufReader<File>, bytes: &[u8]) -> io::Result<usize> {
        let mut there = vec![0; bytes.len()];
        let mut length = 0;
        while let Some(rest) = there.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let same = there.iter().take(length).zip(bytes).take_while(|(a, b)| a == b);
        Ok(same.count())
    }
}

impl Write for Compared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Side::Same(file) = &mut self.side {
            let same = Self::compare(file, bytes)?;
            self.kept += u64::try_from(same).unwrap_or(u64::MAX);
            if same == bytes.len() {
                return Ok(same);
            }
            self.begin_to_write()?;
            self.write_all(bytes.get(same..).unwrap_or_default())?;
            return Ok(bytes.len());
        }
        match &mut self.side {
            Side::Writing(file) => file.write(bytes),
            Side::Same(_) => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.side {
            Side::Writing(file) => file.flush(),
            Side::Same(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is in the file, it holds what was written in the end, and what was the same is not written again.
        #[test]
        fn in_the_end_the_file_holds_what_was_written(
            there in proptest::collection::vec(0..3_u8, 0..60),
            pieces in proptest::collection::vec(proptest::collection::vec(0..3_u8, 0..9), 0..9),
            same in any::<bool>(),
        ) {
            let wanted = pieces.concat();
            let there = if same { wanted.get(..there.len().min(wanted.len())).unwrap().to_vec() } else { there };
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&there).unwrap();
            let mut compared = Compared::new(file.try_clone().unwrap()).unwrap();
            for piece in &pieces {
                compared.write_all(piece).unwrap();
            }
            let kept = compared.finish().unwrap();
            let mut now = Vec::new();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.read_to_end(&mut now).unwrap();
            let equal = there.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(now, wanted);
            prop_assert_eq!(kept, equal as u64);
        }
    }
}
