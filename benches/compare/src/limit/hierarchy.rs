//! Where the control groups are: which version has the memory controller, and which group this process is in.

use super::LimitError;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The version of control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// A hierarchy for each controller.
    V1,
    /// One hierarchy.
    V2,
}

impl Version {
    /// The file with the limit.
    pub(super) const fn limit(self) -> &'static str {
        match self {
            Self::V1 => "memory.limit_in_bytes",
            Self::V2 => "memory.max",
        }
    }

    /// The file with the most that was used.
    pub(super) const fn peak(self) -> &'static str {
        match self {
            Self::V1 => "memory.max_usage_in_bytes",
            Self::V2 => "memory.peak",
        }
    }

    /// The file that counts what was killed.
    pub(super) const fn events(self) -> &'static str {
        match self {
            Self::V1 => "memory.oom_control",
            Self::V2 => "memory.events",
        }
    }
}

/// The group of this process.
pub(super) fn own() -> Result<(Version, PathBuf), LimitError> {
    let read = |path: &str| {
        let path = Path::new(path);
        fs::read_to_string(path).map_err(LimitError::os("read", path))
    };
    let (groups, mounts) = (read("/proc/self/cgroup")?, read("/proc/self/mountinfo")?);
    let found = candidates(&groups, &mounts).into_iter();
    let mut with_memory = found.filter(|(_, folder)| version_of(folder).is_ok());
    with_memory.next().ok_or(LimitError::Absent)
}

/// The version of a group that has the memory controller.
pub(super) fn version_of(folder: &Path) -> Result<Version, LimitError> {
    if let Ok(controllers) = fs::read_to_string(folder.join("cgroup.controllers")) {
        return match has_memory(&controllers) {
            true => Ok(Version::V2),
            false => Err(LimitError::NoController {
                folder: folder.to_owned(),
                got: controllers.trim().to_owned(),
            }),
        };
    }
    match folder.join(Version::V1.limit()).exists() {
        true => Ok(Version::V1),
        false => Err(LimitError::NoGroup {
            folder: folder.to_owned(),
        }),
    }
}

/// Lets groups in this one have the memory controller.
pub(super) fn delegate(folder: &Path) -> Result<(), LimitError> {
    let path = folder.join("cgroup.subtree_control");
    let enabled = fs::read_to_string(&path).map_err(LimitError::os("read", &path))?;
    if has_memory(&enabled) {
        return Ok(());
    }
    match fs::write(&path, "+memory") {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => Err(LimitError::Busy {
            folder: folder.to_owned(),
        }),
        Err(error) => Err(LimitError::os("enable memory in", &path)(error)),
    }
}

fn has_memory(controllers: &str) -> bool {
    controllers.split_whitespace().any(|it| it == "memory")
}

/// The groups of a process in the hierarchies that may have the memory controller, version 2 first: cgroups(7),
/// proc_pid_mountinfo(5).
fn candidates(groups: &str, mounts: &str) -> Vec<(Version, PathBuf)> {
    let mut found = Vec::new();
    for version in [Version::V2, Version::V1] {
        let path = groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            let is_it = match version {
                Version::V1 => controllers.split(',').any(|it| it == "memory"),
                Version::V2 => controllers.is_empty(),
            };
            is_it.then_some(path)
        });
        let mount = mounts.lines().find_map(|line| mount_of(line, version));
        if let (Some(path), Some((root, point))) = (path, mount) {
            let path = Path::new(path);
            // What is mounted may be a part of the hierarchy, whose paths then begin above it.
            let below = path.strip_prefix(root).or_else(|_| path.strip_prefix("/"));
            found.push((version, Path::new(point).join(below.unwrap_or(path))));
        }
    }
    found
}

/// Root and mount point of a line that mounts a hierarchy of this version.
fn mount_of(line: &str, version: Version) -> Option<(&str, &str)> {
    let (mount, system) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3);
    let (root, point) = (mount.next()?, mount.next()?);
    let mut system = system.split(' ');
    let (kind, options) = (system.next()?, system.nth(1)?);
    let is_it = match version {
        Version::V1 => kind == "cgroup" && options.split(',').any(|it| it == "memory"),
        Version::V2 => kind == "cgroup2",
    };
    is_it.then_some((root, point))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hybrid_hierarchies_are_told_apart() {
        let groups = "9:name=systemd:/\n4:memory:/outer/inner\n3:cpu,cpuacct:/\n0::/\n";
        let mounts = "\
30 25 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
31 25 0:27 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory
32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
";
        let expected = [
            (Version::V2, "/sys/fs/cgroup/unified/".into()),
            (Version::V1, "/sys/fs/cgroup/memory/outer/inner".into()),
        ];
        assert_eq!(candidates(groups, mounts), expected);
    }

    #[test]
    fn a_part_that_is_mounted_begins_at_its_root() {
        let groups = "0::/docker/abc/inner\n";
        let mounts = "32 25 0:28 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw,nsdelegate\n";
        let expected = [(Version::V2, PathBuf::from("/sys/fs/cgroup/inner"))];
        assert_eq!(candidates(groups, mounts), expected);
        assert!(candidates("", mounts).is_empty());
        assert!(candidates(groups, "nonsense\n").is_empty());
    }
}
