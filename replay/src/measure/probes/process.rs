//! What this process uses.

use super::file::ProbeFile;
use crate::measure::machine::kibibytes;
use core::time::Duration;
use rustix::{param::page_size, time::ClockId};
use serde::Serialize;
use std::{fs, path::Path};

/// Reads what this process uses.
#[derive(Debug)]
pub struct ProcessProbe {
    io: Option<ProbeFile>,
    statm: Option<ProbeFile>,
}

/// What this process has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProcessUse {
    /// Bytes fetched from a device.
    pub device_read_bytes: Option<u64>,
    /// Bytes sent to a device, or to the page cache on their way there.
    pub device_written_bytes: Option<u64>,
    /// CPU time of all its threads.
    pub cpu: Duration,
    /// Memory that is resident.
    pub memory_bytes: Option<u64>,
}

impl ProcessProbe {
    /// Opens its files.
    pub fn open() -> Self {
        let open = |path: &str| ProbeFile::open(Path::new(path));
        Self {
            io: open("/proc/self/io"),
            statm: open("/proc/self/statm"),
        }
    }

    /// What was used until now.
    pub fn now(&mut self) -> ProcessUse {
        let io = self.io.as_mut().and_then(ProbeFile::text);
        let (device_read_bytes, device_written_bytes) = match io {
            Some(text) => (field(text, "read_bytes"), field(text, "write_bytes")),
            None => (None, None),
        };
        let statm = self.statm.as_mut().and_then(ProbeFile::text);
        ProcessUse {
            device_read_bytes,
            device_written_bytes,
            cpu: cpu_time(ClockId::ProcessCPUTime),
            memory_bytes: statm.and_then(resident),
        }
    }
}

impl ProcessUse {
    /// What was used since `before`; memory is what is resident now.
    pub fn since(&self, before: &Self) -> Self {
        let less = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
        Self {
            device_read_bytes: less(self.device_read_bytes, before.device_read_bytes),
            device_written_bytes: less(self.device_written_bytes, before.device_written_bytes),
            cpu: self.cpu.saturating_sub(before.cpu),
            memory_bytes: self.memory_bytes,
        }
    }
}

/// The most memory of this process that ever was resident.
pub fn memory_bytes_max() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    kibibytes(&status, "VmHWM")
}

/// CPU time by a clock: of all threads of this process, or of the calling one.
pub fn cpu_time(clock: ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_nanos(time.tv_nsec.unsigned_abs())
}

/// The number in the line `name: number`.
fn field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key == name).then_some(value)
    });
    value?.trim().parse().ok()
}

/// Resident bytes: the second number of `statm`, in pages.
fn resident(statm: &str) -> Option<u64> {
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_not_taken_from_the_wrong_line() {
        let io = "rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 7\n";
        assert_eq!(field(io, "read_bytes"), Some(4096));
        assert_eq!(field(io, "write_bytes"), Some(8192));
        assert_eq!(field(io, "bytes"), None);
        assert_eq!(resident("10 3 1"), Some(3 * page_size() as u64));
        assert_eq!(resident(""), None);
    }

    #[test]
    fn what_is_used_never_shrinks() {
        let mut probe = ProcessProbe::open();
        let before = probe.now();
        let work: u64 = (0..3_000_000u64).fold(0, |sum, i| sum ^ i.wrapping_mul(sum | 1));
        let used = probe.now().since(&before);
        assert!(used.cpu > Duration::ZERO, "{work}");
        assert!(used.memory_bytes.is_none_or(|bytes| bytes > 1 << 20));
        assert!(memory_bytes_max() >= used.memory_bytes);
    }
}
