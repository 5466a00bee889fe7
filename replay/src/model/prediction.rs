//! What a block of a scenario is predicted to cost, term by term.

use serde::{Deserialize, Serialize};

/// What a block of a scenario is predicted to cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Keys.
    pub keys: f64,
    /// Reads that reach the device.
    pub device_reads: f64,
    /// Bytes that reach it.
    pub written_bytes: f64,
    /// Seconds of the cores, without hashing.
    pub cpu_s: f64,
    /// Seconds in which they hash; zero where what a hash costs was not measured, and `cpu_s` has it.
    pub hash_s: f64,
    /// Seconds in which the device reads.
    pub read_s: f64,
    /// Seconds in which it writes.
    pub write_s: f64,
    /// Seconds in which it syncs.
    pub sync_s: f64,
    /// Mean block work, in seconds.
    pub mean_s: f64,
    /// 99th percentile, in seconds.
    pub p99_s: f64,
}

/// What a block's time goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Work of the cores other than hashing.
    Cpu,
    /// Hashing.
    Hashing,
    /// Reads of the device.
    Reads,
    /// Writes of the device.
    Writes,
    /// Waiting for the device to have them.
    Sync,
}

impl Term {
    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Hashing => "hashing",
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Sync => "sync",
        }
    }
}

impl Prediction {
    /// The seconds of each term; their sum is the mean block work.
    pub const fn terms(&self) -> [(Term, f64); 5] {
        [
            (Term::Cpu, self.cpu_s),
            (Term::Hashing, self.hash_s),
            (Term::Reads, self.read_s),
            (Term::Writes, self.write_s),
            (Term::Sync, self.sync_s),
        ]
    }

    /// What takes most of the time.
    pub fn bound_by(&self) -> Term {
        let longest = self.terms().into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        longest.map_or(Term::Cpu, |(term, _)| term)
    }
}
