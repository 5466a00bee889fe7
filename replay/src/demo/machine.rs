//! What the figures were measured on.
//!
//! Read from `/proc`, which Linux alone has; what cannot be read is `null` in the result.

use serde::Serialize;
use std::{fs, path::Path};
use thinstate_formats::BatchHasher;

/// The machine, as far as it tells.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The operating system.
    pub os: &'static str,
    /// The architecture.
    pub arch: &'static str,
    /// The kernel's release.
    pub kernel_version: Option<String>,
    /// The CPU's model.
    pub cpu_model: Option<String>,
    /// Cores that this process may use.
    pub cpu_cores: usize,
    /// Memory, in bytes.
    pub memory_total_bytes: Option<u64>,
    /// The file system under the store.
    pub file_system: Option<String>,
    /// The device or volume that it lies on.
    pub file_system_source: Option<String>,
    /// Lanes in which keccak is computed: chosen at run time by what the CPU offers.
    pub keccak_lanes: usize,
    /// Their instructions.
    pub keccak_width: String,
}

/// What this process has asked of the block layer and of memory so far.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ProcessUse {
    /// Bytes fetched from a device.
    pub device_read_bytes: Option<u64>,
    /// Bytes sent to a device, or to the page cache on their way there.
    pub device_written_bytes: Option<u64>,
    /// The most memory that was resident.
    pub memory_bytes_max: Option<u64>,
}

impl Machine {
    /// This machine, and what `folder` lies on.
    pub fn detect(folder: &Path) -> Self {
        let width = BatchHasher::new().width();
        let mount = mount_of(folder);
        Self {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            kernel_version: read("/proc/sys/kernel/osrelease").map(|s| s.trim().to_owned()),
            cpu_model: read("/proc/cpuinfo").and_then(|s| field(&s, "model name")),
            cpu_cores: std::thread::available_parallelism().map_or(1, |n| n.get()),
            memory_total_bytes: read("/proc/meminfo").and_then(|s| kibibytes(&s, "MemTotal")),
            file_system: mount.as_ref().map(|(kind, _)| kind.clone()),
            file_system_source: mount.map(|(_, source)| source),
            keccak_lanes: width.lanes(),
            keccak_width: width.to_string(),
        }
    }
}

impl ProcessUse {
    /// What this process has used until now.
    pub fn now() -> Self {
        let io = read("/proc/self/io");
        let number = |name| field(io.as_ref()?, name)?.parse().ok();
        Self {
            device_read_bytes: number("read_bytes"),
            device_written_bytes: number("write_bytes"),
            memory_bytes_max: read("/proc/self/status").and_then(|s| kibibytes(&s, "VmHWM")),
        }
    }

    /// What was used since `before`; memory stays the most that it ever was.
    pub fn since(&self, before: &Self) -> Self {
        let difference = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
        Self {
            device_read_bytes: difference(self.device_read_bytes, before.device_read_bytes),
            device_written_bytes: difference(
                self.device_written_bytes,
                before.device_written_bytes,
            ),
            memory_bytes_max: self.memory_bytes_max,
        }
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The value in the first line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// The same, where the value is `n kB`.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = field(text, name)?;
    let number: u64 = value.strip_suffix(" kB")?.trim().parse().ok()?;
    number.checked_mul(1024)
}

/// Type and source of the file system that a folder lies on: the longest mount point above it.
fn mount_of(folder: &Path) -> Option<(String, String)> {
    let folder = folder.canonicalize().ok()?;
    let mounts = read("/proc/self/mountinfo")?;
    let over = mounts
        .lines()
        .filter_map(mount)
        .filter(|m| folder.starts_with(m.0));
    let (_, kind, source) = over.max_by_key(|(point, ..)| point.len())?;
    Some((kind.to_owned(), source.to_owned()))
}

/// Mount point, type and source in a line of `mountinfo` (see proc_pid_mountinfo(5)).
fn mount(line: &str) -> Option<(&str, &str, &str)> {
    let (left, right) = line.split_once(" - ")?;
    let mut right = right.split(' ');
    Some((left.split(' ').nth(4)?, right.next()?, right.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_not_taken_from_the_wrong_line() {
        let status = "VmPeak:\t  9 kB\nVmHWM:\t    1234 kB\n";
        assert_eq!(kibibytes(status, "VmHWM"), Some(1234 * 1024));
        assert_eq!(kibibytes(status, "Vm"), None);
        let line = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        assert_eq!(mount(line), Some(("/mnt2", "ext3", "/dev/root")));
        assert_eq!(mount("36 35 98:0"), None);
    }
}
