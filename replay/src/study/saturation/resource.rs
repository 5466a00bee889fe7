//! What can be used up.

use serde::{Deserialize, Serialize};

/// Something that can be used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Time of the cores.
    Cpu,
    /// Time for computing roots, one after the other.
    Hashing,
    /// Random reads of the device.
    ReadIops,
    /// Writes of the device.
    WriteIops,
    /// Bytes that the device can write.
    WriteBandwidth,
    /// Bytes that the device can read.
    ReadBandwidth,
    /// Time for waits until bytes are on the device.
    Fsync,
    /// Memory.
    Memory,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Cpu,
        Self::Hashing,
        Self::ReadIops,
        Self::WriteIops,
        Self::ReadBandwidth,
        Self::WriteBandwidth,
        Self::Fsync,
        Self::Memory,
    ];

    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Hashing => "hashing",
            Self::ReadIops => "read IOPS",
            Self::WriteIops => "write IOPS",
            Self::WriteBandwidth => "write bandwidth",
            Self::ReadBandwidth => "read bandwidth",
            Self::Fsync => "fsync",
            Self::Memory => "memory",
        }
    }
}
