//! What the block device under a folder does, for whomever.

use super::file::ProbeFile;
use rustix::fs::{major, minor, stat};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The kernel counts in sectors of this size, whatever the device's.
const SECTOR_BYTES: u64 = 512;

/// Reads what a device has done.
#[derive(Debug)]
pub struct DeviceProbe {
    stat: Option<ProbeFile>,
}

/// What a device has done, for all processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeviceUse {
    /// Reads completed.
    pub reads: Option<u64>,
    /// Bytes read.
    pub read_bytes: Option<u64>,
    /// Writes completed.
    pub writes: Option<u64>,
    /// Bytes written.
    pub written_bytes: Option<u64>,
}

impl DeviceProbe {
    /// For the device that a folder lies on. A file system without a device of its own (memory, overlay, network) has no
    /// counters.
    pub fn open(folder: &Path) -> Self {
        let device = sysfs_folder(folder);
        Self {
            stat: device.and_then(|folder| ProbeFile::open(&folder.join("stat"))),
        }
    }

    /// What it has done until now.
    pub fn now(&mut self) -> DeviceUse {
        let text = self.stat.as_mut().and_then(ProbeFile::text);
        text.map(parse).unwrap_or_default()
    }
}

impl DeviceUse {
    /// What it has done since `before`.
    pub fn since(&self, before: &Self) -> Self {
        let less = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
        Self {
            reads: less(self.reads, before.reads),
            read_bytes: less(self.read_bytes, before.read_bytes),
            writes: less(self.writes, before.writes),
            written_bytes: less(self.written_bytes, before.written_bytes),
        }
    }
}

/// The folder of the kernel that describes the device (or partition) under a folder.
pub(in crate::measure) fn sysfs_folder(folder: &Path) -> Option<PathBuf> {
    let device = stat(folder).ok()?.st_dev;
    let name = format!("/sys/dev/block/{}:{}", major(device), minor(device));
    PathBuf::from(name).canonicalize().ok()
}

/// `stat` of a block device: reads, merged, sectors, ms, then the same for writes (Linux, Documentation/block/stat.rst).
fn parse(text: &str) -> DeviceUse {
    let numbers: Vec<u64> = text
        .split_ascii_whitespace()
        .map_while(|word| word.parse().ok())
        .collect();
    let bytes = |index: usize| numbers.get(index)?.checked_mul(SECTOR_BYTES);
    DeviceUse {
        reads: numbers.first().copied(),
        read_bytes: bytes(2),
        writes: numbers.get(4).copied(),
        written_bytes: bytes(6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_not_taken_for_writes() {
        let got = parse("    1   0   16   3   5   2   80   9   0   7   12   0 0 0 0\n");
        let expected = DeviceUse {
            reads: Some(1),
            read_bytes: Some(16 * 512),
            writes: Some(5),
            written_bytes: Some(80 * 512),
        };
        assert_eq!(got, expected);
        assert_eq!(parse(""), DeviceUse::default());
        let later = parse("4 0 24 3 9 2 160 9");
        assert_eq!(later.since(&got).reads, Some(3));
        assert_eq!(later.since(&got).written_bytes, Some(80 * 512));
    }
}
