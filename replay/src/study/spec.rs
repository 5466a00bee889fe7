//! What a study is to do.

use super::{NoiseSpec, StudyError};
use crate::{
    amplify::Method,
    measure::{DeviceProfile, device},
    model::{HashCosts, HeldOut, Scenario},
    replay::{self, Stores},
};
use serde::{Deserialize, Serialize};
use thinstate_engine::leaf_store::StoreKind;

/// A study, as its file says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StudySpec {
    /// What results call it.
    pub name: String,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub summary: String,
    /// Designs: names of built-in ones, or files.
    pub designs: Vec<String>,
    /// State sizes, in accounts; slots come in the profile's proportion.
    pub accounts: Vec<u64>,
    /// Gas multiples that are measured in every cell, ascending.
    pub multiples: Vec<u32>,
    /// Search for the largest multiple; without it only `multiples` are measured.
    #[serde(default)]
    pub bisect: Option<Bisect>,
    /// The profile that blocks are drawn from: the name of a built-in one, or a file.
    #[serde(default = "profile")]
    pub profile: String,
    /// How blocks are multiplied: `merge`, `clone` or `mixed`.
    #[serde(default = "amplify")]
    pub amplify: Method,
    /// Everything is drawn from it.
    #[serde(default = "seed")]
    pub seed: u64,
    /// Seconds between slots: what p99 block work has to fit into.
    #[serde(default = "slot_s")]
    pub slot_s: f64,
    /// The runs.
    #[serde(default)]
    pub run: RunSpec,
    /// A point that the model is not fitted to, and has to predict.
    #[serde(default)]
    pub held_out: Option<HeldOut>,
    /// Which run is repeated for the noise floor; it costs that one run more.
    #[serde(default)]
    pub noise_floor: NoiseSpec,
    /// What else the model is asked.
    #[serde(default)]
    pub predict: Vec<PredictSpec>,
}

/// How long to look for the largest multiple.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Bisect {
    /// The search ends when the first multiple that does not fit is at most this much above the last that does.
    pub resolution: f64,
    /// Multiples above this one are not tried.
    pub multiple_max: u32,
}

impl Default for Bisect {
    fn default() -> Self {
        Self {
            resolution: 0.1,
            multiple_max: 4_000,
        }
    }
}

/// One run of a study.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RunSpec {
    /// Blocks that count, at most.
    pub blocks: u64,
    /// Blocks that count, at least.
    pub blocks_min: u64,
    /// Seconds of block work that a run aims at, between the two.
    pub seconds: f64,
    /// Blocks discarded before those that count.
    pub warm_up: u64,
    /// The leaf store: `rocksdb` or `page`.
    pub store: StoreKind,
    /// Run all blocks, also where fewer are enough to say that p99 does not fit the slot.
    pub whole: bool,
    /// Memory for the store's cache.
    pub cache_bytes: u64,
    /// Threads; one per core if it is not given.
    pub threads: Option<usize>,
    /// Bypass the page cache.
    pub direct_io: bool,
    /// Drop the page cache before each run.
    pub drop_caches: bool,
}

impl Default for RunSpec {
    fn default() -> Self {
        Self {
            blocks: 200,
            blocks_min: 5,
            seconds: 20.0,
            warm_up: 2,
            store: StoreKind::default(),
            whole: false,
            cache_bytes: 512 << 20,
            threads: None,
            direct_io: false,
            drop_caches: false,
        }
    }
}

/// Something that the model is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PredictSpec {
    /// Accounts of the state.
    pub accounts: u64,
    /// The device: the name of a profile in `data/devices`, a file, or `measured`.
    pub device: String,
    /// Threads, one a core.
    pub threads: u32,
    /// Memory for caches, in bytes.
    pub cache_bytes: u64,
    /// Nanoseconds that a permutation or compression takes on one core of another CPU, by hash function: `keccak256`, `blake3`,
    /// `sha256`, `lthash`. What is not named is as fast as it was measured.
    #[serde(
        default,
        rename = "permutation-ns",
        skip_serializing_if = "HashCosts::is_empty"
    )]
    pub hash_costs: HashCosts,
}

fn profile() -> String {
    "mainnet-2026".to_owned()
}

const fn amplify() -> Method {
    Method::Merge
}

const fn seed() -> u64 {
    1
}

const fn slot_s() -> f64 {
    12.0
}

impl StudySpec {
    /// The study that `text` is.
    pub fn parse(text: &str) -> Result<Self, StudyError> {
        let spec: Self = toml::from_str(text).map_err(StudyError::Syntax)?;
        spec.check()?;
        Ok(spec)
    }

    /// What the model is asked, with the profiles of the devices.
    pub fn scenarios(&self, measured: Option<&DeviceProfile>) -> Result<Vec<Scenario>, StudyError> {
        let device = |name: &str| match (name, measured) {
            ("measured", Some(device)) => Ok(device.clone()),
            ("measured", None) => Err(StudyError::NoDevice),
            (name, _) => Ok(device::load(name)?),
        };
        let scenario = |of: &PredictSpec| {
            Ok(Scenario {
                accounts: of.accounts,
                threads: of.threads,
                cache_bytes: of.cache_bytes as f64,
                device: device(&of.device)?,
                hash_costs: of.hash_costs.clone(),
            })
        };
        self.predict.iter().map(scenario).collect()
    }

    /// Checks that the designs and the profile that it names can be had, before a cell finds out that one cannot.
    pub fn check_named(&self) -> Result<(), StudyError> {
        for name in &self.designs {
            Stores::design(name).map_err(Box::new)?;
        }
        replay::profile(&self.profile).map_err(Box::new)?;
        Ok(())
    }

    /// Checks that it can be carried out.
    pub fn check(&self) -> Result<(), StudyError> {
        let bad = |name: &'static str, expected: &'static str, got: String| {
            Err(StudyError::BadField {
                name,
                expected,
                got,
            })
        };
        if self.name.is_empty() {
            return bad("name", "at least one character", "none".to_owned());
        }
        if self.designs.is_empty() {
            return bad("designs", "at least one", "none".to_owned());
        }
        if self.accounts.is_empty() || self.accounts.contains(&0) {
            return bad("accounts", "sizes above 0", format!("{:?}", self.accounts));
        }
        let ascend = self.multiples.is_sorted_by(|a, b| a < b);
        if self.multiples.is_empty() || self.multiples.contains(&0) || !ascend {
            return bad(
                "multiples",
                "ascending numbers from 1",
                format!("{:?}", self.multiples),
            );
        }
        let run = &self.run;
        if run.blocks_min == 0 || run.blocks_min > run.blocks {
            return bad(
                "run.blocks-min",
                "1 to run.blocks",
                run.blocks_min.to_string(),
            );
        }
        if !(self.slot_s > 0.0 && self.slot_s.is_finite()) {
            return bad("slot-s", "seconds above 0", self.slot_s.to_string());
        }
        if let Some(bisect) = &self.bisect
            && !(bisect.resolution > 0.0 && bisect.resolution < 10.0)
        {
            let got = bisect.resolution.to_string();
            return bad("bisect.resolution", "above 0 and below 10", got);
        }
        if let NoiseSpec::At(multiple) = self.noise_floor
            && !self.multiples.contains(&multiple)
        {
            return bad(
                "noise-floor",
                "true, false, or one of `multiples`",
                multiple.to_string(),
            );
        }
        let mut costs = self.predict.iter().flat_map(|it| &it.hash_costs.0);
        if let Some((function, ns)) = costs.find(|(_, ns)| !(**ns > 0.0 && ns.is_finite())) {
            return bad(
                "predict.permutation-ns",
                "nanoseconds above 0",
                format!("{function} = {ns}"),
            );
        }
        if self.amplify == Method::None {
            return bad("amplify", "merge, clone or mixed", "none".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = r#"
        name = "least"
        designs = ["mpt"]
        accounts = [1000]
        multiples = [1, 10]
    "#;

    #[test]
    fn a_study_that_cannot_be_carried_out_is_never_begun() {
        assert!(StudySpec::parse(LEAST).is_ok());
        let refused = [
            ("[1, 10]", "[10, 1]", "multiples"),
            ("[1, 10]", "[0]", "multiples"),
            ("[\"mpt\"]", "[]", "designs"),
            ("[1000]", "[0]", "accounts"),
            ("[1, 10]", "[1, 10]\nnoise-floor = 7", "noise-floor"),
        ];
        for (from, to, expected) in refused {
            let got = StudySpec::parse(&LEAST.replace(from, to));
            let named = matches!(got, Err(StudyError::BadField { name, .. }) if name == expected);
            assert!(named, "{to} as {expected}: {got:?}");
        }
        for taken in ["true", "false", "10"] {
            let got = StudySpec::parse(&format!("{LEAST}\nnoise-floor = {taken}"));
            assert!(got.is_ok(), "{taken}: {got:?}");
        }
        let predict = |costs: &str| {
            StudySpec::parse(&format!(
                "{LEAST}\n[[predict]]\naccounts = 1\ndevice = \"measured\"\nthreads = 2\ncache-bytes = 1\npermutation-ns = {costs}"
            ))
        };
        assert!(predict("{ keccak256 = 250, blake3 = 40.5 }").is_ok());
        let refused = predict("{ keccak256 = 0 }");
        assert!(
            matches!(
                refused,
                Err(StudyError::BadField {
                    name: "predict.permutation-ns",
                    ..
                })
            ),
            "{refused:?}"
        );
        let unknown = predict("{ md5 = 1 }");
        assert!(matches!(unknown, Err(StudyError::Syntax(_))), "{unknown:?}");
        let unknown = StudySpec::parse(&format!("{LEAST}\nmultiple = 3"));
        assert!(matches!(unknown, Err(StudyError::Syntax(_))));
        let run = StudySpec::parse(&format!("{LEAST}\n[run]\nblocks = 3"));
        assert!(matches!(
            run,
            Err(StudyError::BadField {
                name: "run.blocks-min",
                ..
            })
        ));
    }
}
