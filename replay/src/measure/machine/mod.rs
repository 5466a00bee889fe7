//! What figures were measured on.
//!
//! Read from `/proc` and `/sys`, which Linux alone has; what cannot be read is `null` in the result. Names are those that the
//! clients' benchmark runners use for the same facts.

mod cgroup;
mod cpu;
mod mount;
mod storage;
mod text;

pub use cgroup::CgroupLimits;
pub use storage::BlockDevice;

use mount::Mount;
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};
pub(super) use text::kibibytes;
use text::{field, number, read, word_in_brackets};
use thinstate_formats::BatchHasher;

/// The machine, as far as it tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// Its name.
    pub hostname: Option<String>,
    /// The operating system.
    pub os: String,
    /// The distribution.
    pub os_version: Option<String>,
    /// The kernel's release.
    pub kernel_version: Option<String>,
    /// The architecture.
    pub arch: String,
    /// The hypervisor or container that it is seen through: `kvm`, `docker`; `none` on the bare machine.
    pub virtualization: Option<String>,
    /// Who made the CPU.
    pub cpu_vendor: Option<String>,
    /// Its model.
    pub cpu_model: Option<String>,
    /// Cores that this process may use: those that it may run on, or a quota of their time in whole cores, and at least
    /// one, where that is less.
    pub cpu_cores: usize,
    /// Cores that it may run on, whatever its quota.
    pub cpu_cores_allowed: Option<u64>,
    /// Its clock when this was read.
    pub cpu_mhz: Option<f64>,
    /// Its last level of cache, in KiB.
    pub cpu_cache_kb: Option<u64>,
    /// Which of its instructions matter for hashing: `avx2`, `avx512f`, `sha_ni` and the like.
    pub cpu_flags: Vec<String>,
    /// What governs its clock, such as `performance`.
    pub cpu_governor: Option<String>,
    /// Memory, in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Limits of the control group.
    pub cgroup: CgroupLimits,
    /// Use of huge pages: `always`, `madvise`, `never`.
    pub transparent_hugepage: Option<String>,
    /// Percentage of memory that may be dirty before writers wait.
    pub dirty_ratio: Option<u64>,
    /// The file system under the store.
    pub file_system: Option<String>,
    /// The device or volume that it lies on.
    pub file_system_source: Option<String>,
    /// How it is mounted.
    pub mount_options: Option<String>,
    /// The block device under it.
    pub block_device: Option<BlockDevice>,
    /// Whether the store read and wrote past the page cache; known to who opened it.
    pub direct_io: Option<bool>,
    /// Whether the page cache was dropped before the first block; known to who did.
    pub page_cache_dropped: Option<bool>,
    /// Lanes in which keccak is computed: chosen at run time by what the CPU offers.
    pub keccak_lanes: usize,
    /// Their instructions.
    pub keccak_width: String,
}

impl Machine {
    /// This machine, and what `folder` lies on.
    pub fn detect(folder: &Path) -> Self {
        let width = BatchHasher::new().width();
        let mount = Mount::of(folder).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo").unwrap_or_default();
        Self {
            hostname: read("/proc/sys/kernel/hostname"),
            os: std::env::consts::OS.to_owned(),
            os_version: os_version(),
            kernel_version: read("/proc/sys/kernel/osrelease"),
            arch: std::env::consts::ARCH.to_owned(),
            virtualization: virtualization(&cpuinfo),
            cpu_vendor: field(&cpuinfo, "vendor_id"),
            cpu_model: field(&cpuinfo, "model name"),
            cpu_cores: std::thread::available_parallelism().map_or(1, |n| n.get()),
            cpu_cores_allowed: read("/proc/self/status").and_then(|status| {
                let online = read("/sys/devices/system/cpu/online");
                cpu::cores_allowed(&status, online.as_deref().map(str::trim))
            }),
            cpu_mhz: field(&cpuinfo, "cpu MHz").and_then(|it| it.parse().ok()),
            cpu_cache_kb: cpu::last_level_cache_kb(),
            cpu_flags: cpu::flags(&cpuinfo),
            cpu_governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            memory_total_bytes: read("/proc/meminfo").and_then(|it| kibibytes(&it, "MemTotal")),
            cgroup: CgroupLimits::detect(),
            transparent_hugepage: read("/sys/kernel/mm/transparent_hugepage/enabled")
                .and_then(|it| word_in_brackets(&it)),
            dirty_ratio: number("/proc/sys/vm/dirty_ratio"),
            file_system: mount.kind,
            file_system_source: mount.source,
            mount_options: mount.options,
            block_device: BlockDevice::under(folder),
            direct_io: None,
            page_cache_dropped: None,
            keccak_lanes: width.lanes(),
            keccak_width: width.to_string(),
        }
    }
}

/// The distribution, as it calls itself (os-release(5)).
fn os_version() -> Option<String> {
    let text = read("/etc/os-release")?;
    let line = text.lines().find_map(|it| it.strip_prefix("PRETTY_NAME="));
    Some(line?.trim_matches('"').to_owned())
}

/// Containers leave a file, hypervisors a flag of the CPU and their name in the firmware's tables.
fn virtualization(cpuinfo: &str) -> Option<String> {
    if fs::exists("/.dockerenv").unwrap_or(false) {
        return Some("docker".to_owned());
    }
    let flags = field(cpuinfo, "flags")?;
    if !flags.split(' ').any(|flag| flag == "hypervisor") {
        return Some("none".to_owned());
    }
    let vendor = read("/sys/class/dmi/id/sys_vendor").or_else(|| read("/sys/hypervisor/type"));
    Some(vendor.unwrap_or_else(|| "virtual".to_owned()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;

    #[test]
    fn facts_are_there_and_survive_json() {
        let machine = Machine::detect(Path::new("."));
        assert!(machine.cpu_cores > 0 && machine.keccak_lanes > 0);
        let allowed = machine.cpu_cores_allowed;
        assert!(allowed.is_none_or(|allowed| allowed >= machine.cpu_cores as u64));
        assert!(
            machine
                .kernel_version
                .as_ref()
                .unwrap()
                .starts_with(char::is_numeric)
        );
        assert!(machine.memory_total_bytes.unwrap() > 1 << 24);
        let json = serde_json::to_value(&machine).unwrap();
        assert_eq!(serde_json::from_value::<Machine>(json).unwrap(), machine);
    }
}
