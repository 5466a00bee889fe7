//! What keeps a limit from being set.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why there is no limit. Each says what is missing; nothing has been run then.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// The system has no control groups with a memory controller, or they are not mounted here. Mount them (`mount -t cgroup2 none
    /// /sys/fs/cgroup`), or run without a limit.
    #[error(
        "no control groups for memory: /proc/self/mountinfo names neither a cgroup2 with the \
         memory controller nor a cgroup of version 1 for memory"
    )]
    Absent,
    /// The folder that was named is no control group: name one under the mount of cgroup2.
    #[error("{} is no control group: it has no cgroup.controllers and no memory.limit_in_bytes", .folder.display())]
    NoGroup {
        /// The folder.
        folder: PathBuf,
    },
    /// The group does not have the memory controller: enable it in the group above (`echo +memory > cgroup.subtree_control`).
    #[error("{}: expected memory in cgroup.controllers, got {got:?}", .folder.display())]
    NoController {
        /// The group.
        folder: PathBuf,
        /// Those it has.
        got: String,
    },
    /// The group holds processes, and version 2 then gives no controllers to groups in it: make an empty one and name it with
    /// `--cgroup`.
    #[error(
        "{} holds processes itself, so groups in it cannot have the memory controller; \
         name an empty group with --cgroup",
        .folder.display()
    )]
    Busy {
        /// The group.
        folder: PathBuf,
    },
    /// The kernel refused: mostly for want of permission (run as root, or in a group that is delegated to you), or since control
    /// groups are mounted read-only, as in many containers.
    #[error("cannot {action} {}", .path.display())]
    Os {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl LimitError {
    pub(super) fn os(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Os {
            action,
            path,
            source,
        }
    }
}
