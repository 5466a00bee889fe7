//! What hashing costs: functions, what one step of each takes here, and how many steps a block needs.

use super::{Point, fit::Curve};
use crate::measure::DesignInfo;
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, hint::black_box, time::Instant};
use thinstate_formats::{
    BatchHasher, LtHash,
    hash::{HashKind, NodeHasher},
    lthash::{EXPANSION_COMPRESSIONS, slot_element},
};

/// Times that each batch is hashed; the median counts.
const ROUNDS: usize = 21;
/// Messages of a batch.
const BATCH: usize = 1_024;
/// Bytes of a message of one permutation of keccak256: a leaf of the trie.
const LEAF_BYTES: usize = 110;
/// Elements that are expanded at a time: as many steps as a batch has, about.
const ELEMENTS: usize = 32;
/// The most of a run's time without its device that hashing is taken for.
const SHARE_MAX: f64 = 0.9;

/// A hash function as designs use it: each has steps (permutations, compressions) of its own cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashFunction {
    /// Permutations of keccak256, in batches of nodes.
    Keccak256,
    /// Compressions of BLAKE3, in batches of nodes.
    Blake3,
    /// Compressions of SHA-256.
    Sha256,
    /// Compressions of BLAKE3 that expand an element of an LtHash, and its part of the sum.
    LtHash,
}

/// Nanoseconds that one permutation or compression takes on one core, by function. A function that is not there was not
/// measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HashCosts(pub BTreeMap<HashFunction, f64>);

/// What a design hashes with one function.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hashing {
    /// The function.
    pub function: HashFunction,
    /// Permutations or compressions of a block.
    pub permutations: Curve,
    /// What one takes on one core of the measured machine, in nanoseconds, as it was measured.
    pub measured_ns: f64,
    /// What the model takes it for: less, where a run's time has no room for that.
    pub cost_ns: f64,
}

impl HashFunction {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Keccak256, Self::Blake3, Self::Sha256, Self::LtHash];

    /// Its name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keccak256 => "keccak256",
            Self::Blake3 => "blake3",
            Self::Sha256 => "sha256",
            Self::LtHash => "lthash",
        }
    }

    const fn of_kind(kind: HashKind) -> Self {
        match kind {
            HashKind::Blake3 => Self::Blake3,
            HashKind::Keccak256 => Self::Keccak256,
            HashKind::Sha256 => Self::Sha256,
        }
    }

    /// The function of a design's accounts and slots.
    fn of_trie(design: &DesignInfo) -> Option<Self> {
        match design.parameters["kind"].as_str()? {
            "flat-lthash" => Some(Self::LtHash),
            "permanent" | "layered" => Some(Self::Keccak256),
            _ => None,
        }
    }

    /// The one function of a design without cheap tiers; `None` where tiers may have different ones.
    pub(super) fn of_whole(design: &DesignInfo) -> Option<Self> {
        Self::of_trie(design).filter(|_| design.parameters["kind"] != "layered")
    }

    /// The metrics that count steps of a design, each with the function that they are steps of; `None` where the design's
    /// parameters do not name one that is known.
    pub(super) fn of_metrics(design: &DesignInfo) -> [(&'static str, Option<Self>); 4] {
        let trie = Self::of_trie(design);
        let of_tier = |tier: &str| {
            let kind = design.parameters[tier]["hash"].as_str()?.parse().ok();
            kind.map(Self::of_kind)
        };
        [
            ("accounts_permutations", trie),
            ("slots_permutations", trie),
            ("temporary_permutations", of_tier("temporary")),
            ("records_permutations", of_tier("utxo")),
        ]
    }

    /// What a batch takes for each of its steps, in nanoseconds.
    fn measure(self) -> f64 {
        let mut digests: Vec<B256> = Vec::with_capacity(BATCH);
        match self {
            Self::Keccak256 => {
                let (hasher, messages) = (BatchHasher::new(), messages::<LEAF_BYTES>());
                median_ns(|| {
                    let count = hasher.hash_each(black_box(&messages), &mut digests);
                    black_box(&digests);
                    count.permutations
                })
            }
            Self::Blake3 => nodes(HashKind::Blake3, 1, &mut digests),
            // The padding is a block of its own.
            Self::Sha256 => nodes(HashKind::Sha256, 2, &mut digests),
            Self::LtHash => {
                let mut sum = LtHash::default();
                let elements = messages::<32>();
                median_ns(|| {
                    for it in &elements[..ELEMENTS] {
                        let slot = B256::from(*black_box(it));
                        sum.add(&slot_element(B256::ZERO, slot, slot.into()));
                    }
                    black_box(&sum);
                    ELEMENTS as u64 * EXPANSION_COMPRESSIONS
                })
            }
        }
    }
}

impl fmt::Display for HashFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl HashCosts {
    /// Measures all functions on the core at hand, in batches as designs hash them: some milliseconds in all. What a design
    /// hashes one at a time costs more than this.
    pub fn measure() -> Self {
        Self(HashFunction::ALL.map(|it| (it, it.measure())).into())
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What one permutation or compression takes, in nanoseconds; `None` where it is not known.
    pub fn of(&self, function: HashFunction) -> Option<f64> {
        let ns = self.0.get(&function).copied();
        ns.filter(|ns| *ns > 0.0 && ns.is_finite())
    }
}

impl Hashing {
    /// What the runs hashed, of all functions whose cost is known. `room_s` is the time of each run that neither device nor sync
    /// explains, `share` the time of a second of one core's work on their threads.
    pub(super) fn fit(
        points: &[Point],
        costs: &HashCosts,
        room_s: impl Fn(&Point) -> f64,
        share: f64,
    ) -> Vec<Self> {
        let known = HashFunction::ALL.into_iter().filter_map(|function| {
            let measured_ns = costs.of(function)?;
            let of = |point: &Point| point.permutations_of(function);
            // A run that hashes nothing with it, or does not say so, has no place on a logarithmic curve.
            let used = points.iter().all(|it| of(it) >= 1.0);
            let permutations = Curve::fit(points, 1.0, of).filter(|_| used)?;
            Some(Self {
                function,
                permutations,
                measured_ns,
                cost_ns: measured_ns,
            })
        });
        let mut all: Vec<Self> = known.collect();
        let room = |point: &Point| {
            let hashed_s = share * seconds_of(&all, point);
            SHARE_MAX * room_s(point) / hashed_s.max(f64::MIN_POSITIVE)
        };
        let scale = points.iter().map(room).fold(1.0, f64::min);
        for it in &mut all {
            it.cost_ns *= scale;
        }
        all
    }

    /// Seconds of one core for a block, where one step of it takes `ns` nanoseconds instead, if that is given.
    pub(super) fn core_s(&self, multiple: f64, accounts: f64, ns: Option<f64>) -> f64 {
        let faster = ns.map_or(1.0, |ns| ns / self.measured_ns);
        self.permutations.at(multiple, accounts) * self.cost_ns * faster / 1e9
    }
}

/// Seconds of one core for what a run hashed.
pub(super) fn seconds_of(all: &[Hashing], point: &Point) -> f64 {
    let ns = all
        .iter()
        .map(|it| point.permutations_of(it.function) * it.cost_ns);
    ns.sum::<f64>() / 1e9
}

/// What one step of a function takes for nodes of 64 bytes, in nanoseconds.
fn nodes(kind: HashKind, steps_each: u64, digests: &mut Vec<B256>) -> f64 {
    let (hasher, messages) = (NodeHasher::new(kind), messages::<64>());
    median_ns(|| {
        digests.clear();
        hasher.hash_blocks(black_box(&messages), digests);
        black_box(&*digests);
        BATCH as u64 * steps_each
    })
}

/// Messages that differ.
fn messages<const LEN: usize>() -> Vec<[u8; LEN]> {
    let message = |at: usize| {
        let mut message = [at as u8; LEN];
        message[0] = (at >> 8) as u8;
        message
    };
    (1..=BATCH).map(message).collect()
}

/// Nanoseconds of each step of what `batch` does: the median of several times.
fn median_ns(mut batch: impl FnMut() -> u64) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            let steps = batch().max(1);
            began.elapsed().as_nanos() as f64 / steps as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design;
    use serde_json::json;

    #[test]
    fn no_function_goes_unmeasured() {
        let costs = HashCosts::measure();
        for function in HashFunction::ALL {
            let ns = costs.of(function).expect("it was measured");
            assert!((0.5..100_000.0).contains(&ns), "{function}: {ns} ns");
        }
        let json = serde_json::to_value(&costs).expect("numbers");
        assert!(
            json["keccak256"].is_f64() && json["lthash"].is_f64(),
            "{json}"
        );
        let again: HashCosts = serde_json::from_value(json).expect("what was written");
        assert_eq!(again, costs);
    }

    fn with(parameters: serde_json::Value) -> DesignInfo {
        DesignInfo {
            name: "any".to_owned(),
            summary: String::new(),
            tiers: BTreeMap::new(),
            trie: None,
            parameters,
        }
    }

    fn of_tiers(design: &DesignInfo) -> [Option<HashFunction>; 4] {
        HashFunction::of_metrics(design).map(|(_, function)| function)
    }

    #[test]
    fn no_tier_is_hashed_with_another_ones_function() {
        use HashFunction::{Blake3, Keccak256, LtHash, Sha256};
        let (keccak, lthash) = (Some(Keccak256), Some(LtHash));
        let table = [
            (json!(null), [None; 4], None),
            (json!({ "root": "of its own" }), [None; 4], None),
            (
                json!({ "kind": "a kind of its own", "temporary": { "hash": "poseidon" }, "utxo": { "hash": "blake3" } }),
                [None, None, None, Some(Blake3)],
                None,
            ),
            (
                json!({ "kind": "permanent" }),
                [keccak, keccak, None, None],
                keccak,
            ),
            (
                json!({ "kind": "flat-lthash" }),
                [lthash, lthash, None, None],
                lthash,
            ),
            (
                json!({ "kind": "layered", "temporary": { "hash": "sha256" }, "utxo": { "hash": "keccak256" } }),
                [keccak, keccak, Some(Sha256), keccak],
                None,
            ),
        ];
        for (parameters, tiers, whole) in table {
            let design = with(parameters);
            assert_eq!(of_tiers(&design), tiers, "{design:?}");
            assert_eq!(HashFunction::of_whole(&design), whole, "{design:?}");
        }
    }

    #[test]
    fn no_built_in_design_hashes_with_what_is_not_known() {
        for name in design::names() {
            let design = design::builtin(name).expect("it is built in").info(None);
            let tiers = of_tiers(&design);
            assert!(tiers.iter().all(Option::is_some), "{name}: {tiers:?}");
            let whole = HashFunction::of_whole(&design);
            assert!(whole.is_none_or(|it| tiers[0] == Some(it)), "{name}");
        }
    }
}
