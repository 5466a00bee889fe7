//! How many messages are hashed side by side, and which widths this CPU offers.

use core::fmt;
use thiserror::Error;

#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};

/// Messages that are hashed side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneWidth {
    /// One at a time.
    Scalar,
    /// Two, with NEON.
    X2,
    /// Four, with AVX2.
    X4,
    /// Eight, with AVX-512.
    X8,
}

impl LaneWidth {
    /// All widths, narrowest first.
    pub const ALL: [Self; 4] = [Self::Scalar, Self::X2, Self::X4, Self::X8];

    /// The widest that this CPU offers. The standard library asks the CPU once and remembers.
    pub fn detect() -> Self {
        Self::available().last().unwrap_or(Self::Scalar)
    }

    /// Those that this CPU offers, narrowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|width| width.is_available())
    }

    /// Whether this CPU offers it.
    pub fn is_available(self) -> bool {
        Backend::new(self).is_some()
    }

    /// Number of lanes.
    pub const fn lanes(self) -> usize {
        match self {
            Self::Scalar => 1,
            Self::X2 => 2,
            Self::X4 => 4,
            Self::X8 => 8,
        }
    }
}

impl fmt::Display for LaneWidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scalar => "scalar",
            Self::X2 => "x2 NEON",
            Self::X4 => "x4 AVX2",
            Self::X8 => "x8 AVX-512",
        })
    }
}

/// The CPU lacks the instructions of a width. Take [`LaneWidth::detect`] instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("keccak width {got} is not available on this CPU, the widest is {widest}")]
pub struct UnavailableWidth {
    /// The width that was asked for.
    pub got: LaneWidth,
    /// The widest that there is.
    pub widest: LaneWidth,
}

/// A width together with the proof that the CPU offers it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Backend {
    Scalar,
    #[cfg(target_arch = "aarch64")]
    X2(Neon),
    #[cfg(target_arch = "x86_64")]
    X4(Avx2),
    #[cfg(target_arch = "x86_64")]
    X8(Avx512),
}

impl Backend {
    /// The backend of a width, `None` where the CPU does not offer it.
    pub(super) fn new(width: LaneWidth) -> Option<Self> {
        match width {
            LaneWidth::Scalar => Some(Self::Scalar),
            #[cfg(target_arch = "aarch64")]
            LaneWidth::X2 => Neon::detect().map(Self::X2),
            #[cfg(target_arch = "x86_64")]
            LaneWidth::X4 => Avx2::detect().map(Self::X4),
            #[cfg(target_arch = "x86_64")]
            LaneWidth::X8 => Avx512::detect().map(Self::X8),
            _ => None,
        }
    }

    /// The width that it is of.
    pub(super) const fn width(self) -> LaneWidth {
        match self {
            Self::Scalar => LaneWidth::Scalar,
            #[cfg(target_arch = "aarch64")]
            Self::X2(_) => LaneWidth::X2,
            #[cfg(target_arch = "x86_64")]
            Self::X4(_) => LaneWidth::X4,
            #[cfg(target_arch = "x86_64")]
            Self::X8(_) => LaneWidth::X8,
        }
    }
}
