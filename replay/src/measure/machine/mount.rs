//! The file system that a folder lies on.

use super::text::read;
use std::path::Path;

/// How it is mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) kind: Option<String>,
    pub(super) source: Option<String>,
    /// Of the mount and of the file system, with commas in between.
    pub(super) options: Option<String>,
}

impl Mount {
    /// Of the longest mount point above a folder; the last one mounted there.
    pub(super) fn of(folder: &Path) -> Option<Self> {
        let folder = folder.canonicalize().ok()?;
        let mounts = read("/proc/self/mountinfo")?;
        let over = mounts.lines().filter_map(parse);
        let over = over.filter(|(point, _)| folder.starts_with(point));
        let (_, mount) = over.max_by_key(|(point, _)| point.len())?;
        Some(mount)
    }
}

/// Mount point and the rest of a line of `mountinfo` (see proc_pid_mountinfo(5)).
fn parse(line: &str) -> Option<(&str, Mount)> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(4);
    let mut right = right.split(' ');
    let (point, options) = (left.next()?, left.next()?);
    let mount = Mount {
        kind: right.next().map(str::to_owned),
        source: right.next().map(str::to_owned),
        options: right.next().map(|own| format!("{options},{own}")),
    };
    Some((point, mount))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;

    #[test]
    fn a_source_is_not_taken_for_a_type() {
        let line = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root errors=continue";
        let (point, mount) = parse(line).unwrap();
        assert_eq!(point, "/mnt2");
        assert_eq!(mount.kind.as_deref(), Some("ext3"));
        assert_eq!(mount.source.as_deref(), Some("/dev/root"));
        assert_eq!(mount.options.as_deref(), Some("rw,noatime,errors=continue"));
        assert_eq!(parse("36 35 98:0"), None);
    }
}
