//! The mapped file of one field.

use super::{FieldId, SpentError};
use memmap2::{MmapMut, MmapRaw};
use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const MAGIC: &[u8; 8] = b"thinbits";
const VERSION: u32 = 1;
/// Bytes of the header that are not zeros.
const HEADER_LEN: usize = 36;
/// Bytes before the words: a page, so that words are aligned in the file as in memory.
const PAGE: u64 = 4096;
/// Least bytes by which a file grows, and what its length is a multiple of.
const STEP: u64 = 64 * 1024;
const ZEROS: &[u8] = &[0; 256 * 1024];

const _: () = assert!(8 + 4 + 4 + 8 + 8 + 4 == HEADER_LEN);

/// Words in a mapped file.
#[derive(Debug)]
pub(super) struct MappedWords {
    path: PathBuf,
    field: FieldId,
    file: File,
    map: MmapMut,
}

impl MappedWords {
    /// The name of a field's file.
    pub(super) fn path(dir: &Path, field: FieldId) -> PathBuf {
        dir.join(format!("{field}.bits"))
    }

    /// The field whose file has this name.
    pub(super) fn field_of(name: &str) -> Option<FieldId> {
        let name = name.strip_suffix(".bits")?;
        let period = name.strip_prefix("period-").map(str::parse::<u64>);
        let field = match period {
            Some(period) => FieldId::from_parts(1, period.ok()?),
            None => Some(FieldId::Utxo),
        };
        field.filter(|field| field.to_string() == name)
    }

    /// A new file of zeros with room for so many words, in place of any that is there.
    pub(super) fn create(dir: &Path, field: FieldId, words: u64) -> Result<Self, SpentError> {
        let path = Self::path(dir, field);
        // A file of that name may still be mapped: it is left alone, and the new one is another.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(SpentError::io("replace", &path, &error));
            }
            Ok(()) | Err(_) => {}
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(|e| SpentError::io("create", &path, &e))?;
        file.write_all_at(&header(field, 0), 0)
            .map_err(|e| SpentError::io("write", &path, &e))?;
        let len = PAGE + (32 * words).next_multiple_of(PAGE).max(PAGE);
        extend(&file, &path, HEADER_LEN as u64, len)?;
        let map = map(&file, &path)?;
        Ok(Self {
            path,
            field,
            file,
            map,
        })
    }

    /// The file of a field that has at least so many words.
    pub(super) fn open(dir: &Path, field: FieldId, words: u64) -> Result<Self, SpentError> {
        let path = Self::path(dir, field);
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => SpentError::Missing {
                path: path.clone(),
                field,
            },
            _ => SpentError::io("open", &path, &error),
        })?;
        let metadata = file.metadata();
        let got = metadata
            .map_err(|e| SpentError::io("stat", &path, &e))?
            .len();
        // Before anything is mapped: a page beyond the file's end raises SIGBUS.
        let expected = PAGE + 32 * words;
        if got < expected {
            let path = path.clone();
            return Err(SpentError::Truncated {
                path,
                expected,
                got,
            });
        }
        let mut bytes = [0; HEADER_LEN];
        file.read_exact_at(&mut bytes, 0)
            .map_err(|e| SpentError::io("read", &path, &e))?;
        check_header(&path, field, &bytes, got)?;
        extend(&file, &path, got, got.next_multiple_of(PAGE))?;
        let map = map(&file, &path)?;
        Ok(Self {
            path,
            field,
            file,
            map,
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.map[PAGE as usize..]
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.map[PAGE as usize..]
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// Makes room for so many words. The zeros are written rather than left out, so that the device
    /// has the room, and a page that is written later cannot lack it.
    pub(super) fn reserve(&mut self, words: u64) -> Result<(), SpentError> {
        let (len, needed) = (self.file_bytes(), PAGE + 32 * words);
        if needed <= len {
            return Ok(());
        }
        let to = needed.max(len + len / 16).next_multiple_of(STEP);
        extend(&self.file, &self.path, len, to)?;
        self.map = map(&self.file, &self.path)?;
        Ok(())
    }

    /// What syncs the file, on any thread.
    pub(super) fn syncer(&self, len: u64) -> Result<FileSync, SpentError> {
        let file = self.file.try_clone();
        Ok(FileSync {
            file: file.map_err(|e| SpentError::io("duplicate", &self.path, &e))?,
            path: self.path.clone(),
            header: header(self.field, len),
        })
    }

    /// Deletes the file.
    pub(super) fn delete(self) -> Result<(), SpentError> {
        std::fs::remove_file(&self.path).map_err(|e| SpentError::io("delete", &self.path, &e))
    }
}

/// Syncs one file.
#[derive(Debug)]
pub(super) struct FileSync {
    file: File,
    path: PathBuf,
    header: [u8; HEADER_LEN],
}

impl FileSync {
    /// Syncs the words and the file's length; then the header, which says that length.
    pub(super) fn sync(self) -> Result<(), SpentError> {
        let io = |operation| {
            let path = &self.path;
            move |error: std::io::Error| SpentError::io(operation, path, &error)
        };
        let map = MmapRaw::map_raw(&self.file).map_err(io("map"))?;
        map.flush().map_err(io("msync"))?;
        self.file.sync_all().map_err(io("sync"))?;
        // Its 36 bytes lie in one sector of the device, which is written whole or not.
        self.file
            .write_all_at(&self.header, 0)
            .map_err(io("write"))?;
        self.file.sync_data().map_err(io("sync"))
    }
}

fn map(file: &File, path: &Path) -> Result<MmapMut, SpentError> {
    // SAFETY: the file belongs to this store, which other processes are kept out of by the lock of
    // its leaf store; it is never made shorter, and outside this mapping only its header is written,
    // which is not read through it.
    unsafe { MmapMut::map_mut(file) }.map_err(|error| SpentError::io("map", path, &error))
}

/// Writes zeros.
fn extend(file: &File, path: &Path, from: u64, to: u64) -> Result<(), SpentError> {
    let mut at = from;
    while at < to {
        let len = (to - at).min(ZEROS.len() as u64);
        file.write_all_at(&ZEROS[..len as usize], at)
            .map_err(|e| SpentError::io("extend", path, &e))?;
        at += len;
    }
    Ok(())
}

fn header(field: FieldId, len: u64) -> [u8; HEADER_LEN] {
    let (kind, period) = field.parts();
    let mut bytes = [0; HEADER_LEN];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&u32::from(kind).to_le_bytes());
    bytes[16..24].copy_from_slice(&period.to_le_bytes());
    bytes[24..32].copy_from_slice(&len.to_le_bytes());
    let checksum = crc32fast::hash(&bytes[..32]);
    bytes[32..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn check_header(
    path: &Path,
    field: FieldId,
    bytes: &[u8; HEADER_LEN],
    file_len: u64,
) -> Result<(), SpentError> {
    let number = |at: usize| u64::from_le_bytes(core::array::from_fn(|i| bytes[at + i]));
    let bad = |offset, what, got: String, expected: String| SpentError::BadHeader {
        path: path.to_owned(),
        offset,
        what,
        got,
        expected,
    };
    if bytes[..8] != MAGIC[..] {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        return Err(bad(0, "magic", text(&bytes[..8]), text(MAGIC)));
    }
    let checksum = crc32fast::hash(&bytes[..32]).to_le_bytes();
    if bytes[32..] != checksum {
        let hex = |bytes: &[u8]| alloy_primitives::hex::encode(bytes);
        return Err(bad(32, "checksum", hex(&bytes[32..]), hex(&checksum)));
    }
    let version = number(8) as u32;
    if version != VERSION {
        return Err(bad(8, "version", version.to_string(), VERSION.to_string()));
    }
    let kind = (number(8) >> 32) as u8;
    let found = FieldId::from_parts(kind, number(16));
    if found != Some(field) {
        let got = found.map_or_else(|| format!("kind {kind}"), |field| field.to_string());
        return Err(bad(12, "field", got, field.to_string()));
    }
    let expected = PAGE + number(24).div_ceil(8);
    if file_len < expected {
        return Err(SpentError::Truncated {
            path: path.to_owned(),
            expected,
            got: file_len,
        });
    }
    Ok(())
}
