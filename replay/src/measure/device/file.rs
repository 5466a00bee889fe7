//! The file that is read and written, and memory to do so.

use super::error::{DeviceError, os};
use rustix::{
    fs::{FallocateFlags, OFlags, fallocate, statvfs},
    io::Errno,
};
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    process,
};

/// Direct requests begin and end at multiples of this; no device has larger blocks.
const ALIGNMENT: usize = 4096;

/// Space that is left free beside the file.
const SPARE_BYTES: u64 = 128 << 20;

/// A file without a name.
#[derive(Debug)]
pub(super) struct ProbeFile {
    pub(super) file: File,
    /// Whether requests go past the page cache.
    pub(super) direct: bool,
}

impl ProbeFile {
    /// With room for so many bytes.
    pub(super) fn create(dir: &Path, bytes: u64) -> Result<Self, DeviceError> {
        check_space(dir, bytes)?;
        let (file, direct) = match create_nameless(dir, OFlags::DIRECT) {
            Ok(file) => (file, true),
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                let file = create_nameless(dir, OFlags::empty());
                (file.map_err(os("create a file in", dir))?, false)
            }
            Err(error) => return Err(os("create a file in", dir)(error)),
        };
        // With its blocks allocated, writes do not wait for each other to make the file longer.
        let reserved = fallocate(&file, FallocateFlags::empty(), 0, bytes);
        if reserved.is_err() {
            file.set_len(bytes).map_err(os("reserve space in", dir))?;
        }
        Ok(Self { file, direct })
    }
}

/// A file in a folder whose name is removed at once. It lives for as long as it is open.
pub(super) fn create_nameless(dir: &Path, flags: OFlags) -> io::Result<File> {
    let path = dir.join(format!(".thinstate-device-{}", process::id()));
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create_new(true);
    let file = options.custom_flags(flags).open(&path);
    // Some file systems make the name before they refuse the flags.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => file,
    }
}

fn check_space(dir: &Path, bytes: u64) -> Result<(), DeviceError> {
    let space = statvfs(dir).map_err(|errno| os("look at", dir)(errno.into()))?;
    let got = space.f_bavail.saturating_mul(space.f_frsize);
    let expected = bytes.saturating_add(SPARE_BYTES);
    if got < expected {
        return Err(DeviceError::Space {
            path: dir.to_owned(),
            expected,
            got,
        });
    }
    Ok(())
}

/// Memory for direct requests.
#[derive(Debug)]
pub(super) struct AlignedBuffer {
    memory: Vec<u8>,
    begin: usize,
    bytes: usize,
}

impl AlignedBuffer {
    /// So many bytes, which no device can compress.
    pub(super) fn random(bytes: usize, random: &mut impl rand::Rng) -> Self {
        let mut memory = vec![0; bytes + ALIGNMENT];
        random.fill_bytes(&mut memory);
        let begin = memory.as_ptr().align_offset(ALIGNMENT);
        Self {
            memory,
            begin,
            bytes,
        }
    }

    pub(super) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.begin..][..self.bytes]
    }
}
