//! What can go wrong, and when.

use std::io::{self, ErrorKind};

/// What an operation is made to do. Those that speak of a part do the same as [`Self::Io`] or
/// [`Self::NoSpace`] to operations that have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing, and fails.
    Io,
    /// Nothing, and fails for want of space.
    NoSpace,
    /// A part of its transfer first, and the rest when it is asked again: no failure.
    Short,
    /// A part of its transfer, and fails.
    ShortThenIo,
    /// A part of its transfer, and fails for want of space.
    ShortThenNoSpace,
    /// A sync fails, and a random part of what it was to make durable never will be: the operating
    /// system takes it for written, and the next sync succeeds.
    LostSync,
    /// A sync does all that it should, and fails.
    LateIo,
    /// It fails with all operations after it. What the power cut leaves is for
    /// [`power_cut`](super::SimDisk::power_cut) to say; of this operation, all, a part, or nothing.
    PowerOff,
}

/// The kinds of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Operation {
    Open,
    Create,
    Remove,
    List,
    SyncFolder,
    Read,
    Write,
    SetLen,
    Sync,
}

impl Operation {
    pub(super) const COUNT: usize = 9;

    /// Its name in errors.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Create => "create",
            Self::Remove => "remove",
            Self::List => "list folder",
            Self::SyncFolder => "sync folder",
            Self::Read => "read",
            Self::Write => "write",
            Self::SetLen => "set length",
            Self::Sync => "sync",
        }
    }
}

/// Which operations are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// Those of one kind.
    Each(Operation),
    /// Those that change what is on the disk or what of it is durable.
    Changes,
    /// All.
    Any,
}

impl On {
    pub(super) fn matches(self, operation: Operation) -> bool {
        use Operation::{Create, Remove, SetLen, Sync, SyncFolder, Write};
        match self {
            Self::Each(kind) => kind == operation,
            Self::Changes => matches!(
                operation,
                Create | Remove | SyncFolder | Write | SetLen | Sync
            ),
            Self::Any => true,
        }
    }
}

/// A fault whose time has not come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Armed {
    pub(super) fault: Fault,
    pub(super) on: On,
    pub(super) after: u64,
}

/// What an operation that does nothing fails with.
pub(super) fn error_of(fault: Fault) -> io::Error {
    match fault {
        Fault::NoSpace | Fault::ShortThenNoSpace => {
            io::Error::new(ErrorKind::StorageFull, "injected")
        }
        Fault::PowerOff => io::Error::other("the power is off"),
        Fault::Io | Fault::Short | Fault::ShortThenIo | Fault::LostSync | Fault::LateIo => {
            io::Error::other("injected")
        }
    }
}
