//! What a run is told, resolved: every flag, file and default.

use crate::amplify::{Amplify, AmplifyError, Gaps, Method};
use core::{fmt, str::FromStr, time::Duration};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};
use thinstate_engine::leaf_store::StoreKind;

use super::Pace;

/// Blocks that every design can undo, which is what going on from a checkpoint takes.
pub(super) const CHECKPOINT_MAX: u64 = 128;

/// A run. As TOML it has a key for each flag, and `thinstate replay plan` prints it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RunConfig {
    /// Designs, by name or file; several run one after the other.
    pub design: Vec<String>,
    /// Profile of generated blocks, by name or file.
    pub profile: String,
    /// Accounts of the state that the store is filled with; 4.09 slots to each. For a trace: of the filler
    /// beside what it touches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<u64>,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// A trace to replay, in place of generated blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<PathBuf>,
    /// The state before the first block of the trace, which is then whole: every root is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genesis: Option<PathBuf>,
    /// What becomes of blocks of the trace that do not find what the ones before left.
    pub gaps: Gaps,
    /// How a slot gets to carry more than a block.
    pub amplify: Method,
    /// How many blocks' gas a slot carries.
    pub scale: u32,
    /// Copies in a mixed slot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<u32>,
    /// Leave out what blocks read and deploy of code.
    pub without_code: bool,
    /// Slots that count; for a trace all of them, if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<u64>,
    /// Slots before them, which do not.
    pub warm_up: u64,
    /// Threads for reading and hashing; one for each core, if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// The leaf store of designs that let one choose.
    pub store: StoreKind,
    /// Memory of the store's cache.
    pub cache_size: ByteSize,
    /// Bypass the page cache.
    pub direct_io: bool,
    /// Drop the page cache before the first block.
    pub drop_caches: bool,
    /// One stage after the other.
    pub no_overlap: bool,
    /// Slots that are planned ahead, at most.
    pub plan_ahead: usize,
    /// Slots arrive by the clock.
    pub open_loop: bool,
    /// How much faster than in real time.
    pub speed_up: f64,
    /// Seconds between slots.
    pub slot: f64,
    /// End the run once it is certain that p99 of its slots takes longer than one of them lasts.
    pub end_when_unfit: bool,
    /// Folder for results; with several designs, of their folders.
    pub out: PathBuf,
    /// Keep the store beside the results when the run has ended.
    pub keep_store: bool,
    /// Folder of filled stores, to be used again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<PathBuf>,
    /// What the device can do, as `thinstate device -o` wrote it: the result carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<PathBuf>,
    /// Slots after which the run can be gone on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
    /// An earlier run, with whose state roots these have to agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_roots: Option<PathBuf>,
    /// Run everything twice, and tell how far the two lie apart.
    pub self_check: bool,
    /// What the user notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub label: BTreeMap<String, String>,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            design: vec!["mpt".to_owned()],
            profile: "mainnet-2026".to_owned(),
            accounts: None,
            seed: 1,
            trace: None,
            genesis: None,
            gaps: Gaps::Refuse,
            amplify: Method::None,
            scale: 1,
            copies: None,
            without_code: false,
            blocks: None,
            warm_up: 10,
            threads: None,
            store: StoreKind::default(),
            cache_size: ByteSize(512 << 20),
            direct_io: false,
            drop_caches: false,
            no_overlap: false,
            plan_ahead: 4,
            open_loop: false,
            speed_up: 1.0,
            slot: 12.0,
            end_when_unfit: false,
            out: PathBuf::from("out/replay"),
            keep_store: false,
            cache: None,
            device: None,
            checkpoint: None,
            check_roots: None,
            self_check: false,
            label: BTreeMap::new(),
        }
    }
}

/// Settings that contradict themselves.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The gas multiple cannot be reached in this way.
    #[error(transparent)]
    Amplify(#[from] AmplifyError),
    /// A setting is outside of what makes sense.
    #[error("{name}: expected {expected}, got {got}")]
    Range {
        /// The setting.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// A setting that needs another one, or excludes it.
    #[error("{name} {rule}")]
    Together {
        /// The setting.
        name: &'static str,
        /// What it needs, or cannot be with.
        rule: &'static str,
    },
}

impl RunConfig {
    /// Checks everything that can be checked without looking at a file.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.amplify()?;
        let range = |holds, name, expected, got: &dyn fmt::Display| match holds {
            true => Ok(()),
            false => Err(ConfigError::Range {
                name,
                expected,
                got: got.to_string(),
            }),
        };
        let positive = |number: f64| number > 0.0 && number < 1e6;
        range(!self.design.is_empty(), "design", "at least one", &"none")?;
        range(
            positive(self.slot),
            "slot",
            "above 0, below 10^6",
            &self.slot,
        )?;
        range(
            positive(self.speed_up),
            "speed-up",
            "above 0, below 10^6",
            &self.speed_up,
        )?;
        range(self.plan_ahead > 0, "plan-ahead", "at least 1", &0)?;
        range(self.threads != Some(0), "threads", "at least 1", &0)?;
        range(self.blocks != Some(0), "blocks", "at least 1", &0)?;
        if let Some(slots) = self.checkpoint {
            let holds = (1..=CHECKPOINT_MAX).contains(&slots);
            range(holds, "checkpoint", "1 to 128", &slots)?;
        }
        self.check_pairs()
    }

    fn check_pairs(&self) -> Result<(), ConfigError> {
        let together = |holds, name, rule| match holds {
            true => Ok(()),
            false => Err(ConfigError::Together { name, rule }),
        };
        together(
            self.genesis.is_none() || self.trace.is_some(),
            "genesis",
            "is the state before a trace: give one",
        )?;
        together(
            self.genesis.is_none() || self.accounts.is_none(),
            "genesis",
            "is a whole state, and excludes accounts of a filler",
        )?;
        together(
            self.genesis.is_none() || matches!(self.amplify, Method::None | Method::Merge),
            "genesis",
            "is a whole state, in which copies of users are not: merge instead",
        )?;
        together(
            self.genesis.is_none() || self.gaps == Gaps::Refuse,
            "genesis",
            "is a whole state, in which there is no gap to bridge",
        )?;
        together(
            self.checkpoint.is_none() || !(self.self_check || self.design.len() > 1),
            "checkpoint",
            "is for one design and one run: not with a self-check, nor with several designs",
        )
    }

    /// How blocks are multiplied.
    pub fn amplify(&self) -> Result<Amplify, AmplifyError> {
        Amplify::new(self.amplify, self.scale, self.copies)
    }

    /// How slots arrive.
    pub fn pace(&self) -> Pace {
        match self.open_loop {
            false => Pace::Closed,
            true => Pace::Open {
                interval: Duration::from_secs_f64(self.slot / self.speed_up),
            },
        }
    }

    /// Slots in all; `None` for all that a trace has.
    pub fn slots(&self) -> Option<u64> {
        let blocks = match (self.blocks, &self.trace) {
            (None, None) => Some(Self::GENERATED),
            (blocks, _) => blocks,
        };
        blocks.map(|blocks| blocks.saturating_add(self.warm_up))
    }

    /// Accounts of a generated workload, if it is not said how many.
    pub const ACCOUNTS: u64 = 1_000_000;

    /// Slots that are generated, if it is not said how many.
    pub const GENERATED: u64 = 200;

    /// The settings as a value, for results.
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("settings are strings, numbers and lists of such")
    }
}

/// The first setting, by name, in which two runs differ; those in `free` may.
pub(super) fn difference(
    one: &serde_json::Value,
    other: &serde_json::Value,
    free: &[&str],
) -> Option<String> {
    let names = |value: &serde_json::Value| -> Vec<String> {
        let table = value.as_object();
        table.map_or_else(Vec::new, |it| it.keys().cloned().collect())
    };
    let mut all = names(one);
    all.extend(names(other));
    all.sort();
    all.into_iter()
        .find(|name| !free.contains(&name.as_str()) && one.get(name) != other.get(name))
}

/// A number of bytes, as people write it: `512MiB`, `2GB`, `4096`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteSize(pub u64);

/// Units, the longer names first.
const UNITS: &[(&str, u64)] = &[
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("expected a number of bytes like 512MiB, got {text:?}");
        let unit = UNITS.iter().find(|(name, _)| text.ends_with(name));
        let (digits, factor) = match unit {
            Some((name, factor)) => (&text[..text.len() - name.len()], *factor),
            None => (text, 1),
        };
        let number: u64 = digits.trim().parse().map_err(|_| refused())?;
        number.checked_mul(factor).map(Self).ok_or_else(refused)
    }
}

impl TryFrom<String> for ByteSize {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ByteSize> for String {
    fn from(size: ByteSize) -> Self {
        size.to_string()
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, factor): &&(&str, u64)| *factor > 1 && self.0.is_multiple_of(*factor);
        let binary = UNITS.iter().take(4).rev();
        match binary.filter(|_| self.0 > 0).find(whole) {
            Some((name, factor)) => write!(f, "{}{name}", self.0 / factor),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;

    #[test]
    fn no_setting_is_lost_on_its_way_through_a_file() {
        let mut config = RunConfig {
            trace: Some("a.trace".into()),
            copies: Some(4),
            amplify: Method::Mixed,
            scale: 12,
            checkpoint: Some(9),
            ..RunConfig::default()
        };
        config.label.insert("host".to_owned(), "x".to_owned());
        for config in [config, RunConfig::default()] {
            let text = toml::to_string(&config).unwrap();
            assert_eq!(
                toml::from_str::<RunConfig>(&text).unwrap(),
                config,
                "{text}"
            );
            assert_eq!(
                difference(&config.to_value(), &config.to_value(), &[]),
                None
            );
        }
        assert!(toml::from_str::<RunConfig>("colour = 1").is_err());
    }

    #[test]
    fn a_difference_is_named() {
        let one = RunConfig::default();
        let other = RunConfig {
            seed: 2,
            threads: Some(1),
            ..one.clone()
        };
        let (one, other) = (one.to_value(), other.to_value());
        let named = |free| difference(&one, &other, free);
        assert_eq!(named(&["threads"]).as_deref(), Some("seed"));
        assert_eq!(named(&["seed"]).as_deref(), Some("threads"));
        assert_eq!(named(&["seed", "threads"]), None);
    }

    #[test]
    fn no_size_is_misread() {
        for (text, bytes) in [
            ("512MiB", 512 << 20),
            ("2GB", 2_000_000_000),
            ("4096", 4096),
            ("7B", 7),
            ("1 GiB", 1 << 30),
            ("0", 0),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!(size.0, bytes, "{text}");
            assert_eq!(size.to_string().parse(), Ok(size));
        }
        for text in ["", "MiB", "-1", "1.5GiB", "99999999999TiB", "5 apples"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
        assert_eq!(ByteSize(512 << 20).to_string(), "512MiB");
    }

    #[test]
    fn nothing_that_contradicts_itself_is_run() {
        let refused = |change: fn(&mut RunConfig)| {
            let mut config = RunConfig::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert!(refused(|it| it.design.clear()).contains("design"));
        assert!(refused(|it| it.speed_up = 0.0).contains("speed-up"));
        assert!(refused(|it| it.slot = f64::NAN).contains("slot"));
        assert!(refused(|it| it.checkpoint = Some(129)).contains("checkpoint"));
        assert!(refused(|it| it.genesis = Some("g".into())).contains("genesis"));
        assert!(refused(|it| it.scale = 3).contains("merge"));
        assert_eq!(RunConfig::default().check(), Ok(()));
    }
}
