//! Whole files: read with a limit, decompressed where their names end in `.zst`; written whole or not
//! at all.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write as _},
    path::{Path, PathBuf},
};

/// The most that a file may hold, after decompression: far more than the some 10 MB of JSON that the
/// witness of a mainnet block has, and the some 100 MB of its prestate.
const FILE_BYTES_MAX: u64 = 2 << 30;

/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;

/// A file that is not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The operating system or zstd refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// More bytes than any honest file has.
    #[error("it is larger than {limit} bytes")]
    TooLarge { limit: u64 },
}

/// The bytes of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    bounded(open(path)?, FILE_BYTES_MAX)
}

/// At most the first `length` bytes of a file.
pub(super) fn read_start(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = BufReader::new(File::open(path)?);
    if path.extension().is_some_and(|ending| ending == "zst") {
        Ok(Box::new(zstd::Decoder::with_buffer(file)?))
    } else {
        Ok(Box::new(file))
    }
}

fn bounded(reader: impl Read, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { limit });
    }
    Ok(bytes)
}

/// Writes a file that is there whole, and on disk, or not at all; compressed, with a checksum of its
/// contents, where its name ends in `.zst`.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = aside(path);
    let mut file = File::create(&aside)?;
    if path.extension().is_some_and(|ending| ending == "zst") {
        let mut encoder = zstd::Encoder::new(&mut file, ZSTD_LEVEL)?;
        encoder.include_checksum(true)?;
        encoder.write_all(bytes)?;
        encoder.finish()?;
    } else {
        file.write_all(bytes)?;
    }
    file.sync_all()?;
    fs::rename(&aside, path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Where a file is while it is written.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    #[test]
    fn what_is_written_does_not_change_on_its_way_back() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["plain.json", "packed.json.zst"] {
            let path = folder.path().join(name);
            write(&path, b"[1, 2, 3]").unwrap();
            assert_eq!(read(&path).unwrap(), b"[1, 2, 3]");
            assert_eq!(read_start(&path, 2).unwrap(), b"[1");
            assert!(!aside(&path).exists());
        }
    }

    #[test]
    fn no_damaged_contents_are_read_as_good() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.json.zst");
        write(&path, &[b'a'; 5_000]).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(read(&path), Err(ReadError::Io(_))));
        fs::write(&path, &bytes[..last]).unwrap();
        assert!(matches!(read(&path), Err(ReadError::Io(_))));
    }

    #[test]
    fn no_more_is_read_than_the_limit() {
        assert!(bounded(io::repeat(0).take(10), 10).is_ok());
        let error = bounded(io::repeat(0), 10).unwrap_err();
        assert!(matches!(error, ReadError::TooLarge { limit: 10 }));
    }
}
