//! What the control group of this process may use at most.

use super::text::{number, read};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Version 1 writes a number of this size or more where there is no limit.
const UNLIMITED: u64 = 1 << 62;

/// Limits; `None` is no limit, or none that can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CgroupLimits {
    /// Memory, in bytes; with the page cache.
    pub memory_bytes_max: Option<u64>,
    /// CPUs, as a quota of their time.
    pub cpus_max: Option<f64>,
}

impl CgroupLimits {
    /// Those of this process, in a hierarchy of version 2 or 1.
    pub fn detect() -> Self {
        let groups = read("/proc/self/cgroup").unwrap_or_default();
        let mut limits = Self::default();
        for line in groups.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
                continue;
            };
            for folder in folders(controllers, path) {
                limits.tighten(&folder);
            }
        }
        limits
    }

    /// Takes over what a folder of the hierarchy limits further.
    fn tighten(&mut self, folder: &Path) {
        let memory = number(folder.join("memory.max"))
            .or_else(|| number(folder.join("memory.limit_in_bytes")))
            .filter(|bytes| *bytes < UNLIMITED);
        self.memory_bytes_max = [self.memory_bytes_max, memory].into_iter().flatten().min();
        let cpus = read(folder.join("cpu.max")).and_then(|text| quota(&text));
        let cpus = cpus.or_else(|| {
            let quota = number(folder.join("cpu.cfs_quota_us"))?;
            let period = number(folder.join("cpu.cfs_period_us"))?;
            Some(quota as f64 / period as f64)
        });
        let both = [self.cpus_max, cpus].into_iter().flatten();
        self.cpus_max = both.reduce(f64::min);
    }
}

/// The folder of a group, and those above it: each of them limits.
fn folders(controllers: &str, path: &str) -> Vec<PathBuf> {
    let root = match controllers {
        "" => PathBuf::from("/sys/fs/cgroup"),
        "cpu" | "memory" => Path::new("/sys/fs/cgroup").join(controllers),
        "cpu,cpuacct" => PathBuf::from("/sys/fs/cgroup/cpu"),
        _ => return vec![],
    };
    let path = Path::new(path.trim_start_matches('/'));
    path.ancestors().map(|it| root.join(it)).collect()
}

/// CPUs in `quota period`; `None` for `max`.
fn quota(text: &str) -> Option<f64> {
    let (quota, period) = text.split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (period > 0.0).then_some(quota / period)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use std::fs;

    #[test]
    fn the_tightest_limit_counts() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(root.path().join("memory.max"), "max\n").unwrap();
        fs::write(root.path().join("cpu.max"), "150000 100000\n").unwrap();
        fs::write(inner.join("memory.max"), "1048576\n").unwrap();
        fs::write(inner.join("cpu.max"), "max 100000\n").unwrap();
        let mut limits = CgroupLimits::default();
        limits.tighten(&inner);
        limits.tighten(root.path());
        assert_eq!(limits.memory_bytes_max, Some(1 << 20));
        assert!((limits.cpus_max.unwrap() - 1.5).abs() < 1e-9);
    }
}
