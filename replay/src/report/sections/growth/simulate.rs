//! What a design's rules make of the objects that its blocks create, delete and bring back.

use crate::design::ExpirySpec;
use serde::Deserialize;
use serde_json::Value;
use thinstate_formats::{PeriodId, TemporaryRules};

/// What decides when an object leaves the live state: two of the tables of a design.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Rules {
    #[serde(default)]
    pub(super) temporary: TemporaryRules,
    #[serde(default)]
    pub(super) expiry: Option<ExpirySpec>,
}

/// What a block adds, on average; less what it deletes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mix {
    /// Accounts and slots of the permanent tier.
    pub(super) permanent: f64,
    /// Live temporary entries: created, or brought back.
    pub(super) temporary: f64,
    /// Records appended; those that are spent keep their bit.
    pub(super) records: f64,
}

/// Objects that some blocks have added.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Objects {
    pub(super) permanent: f64,
    pub(super) expired: f64,
    pub(super) temporary: f64,
    pub(super) sealed: f64,
    pub(super) records: f64,
}

impl Rules {
    /// Those of a design, by its parameters; a table that is not there has its defaults, as in a design's file. `None` where
    /// another version has the tables otherwise.
    pub(super) fn of(parameters: &Value) -> Option<Self> {
        Self::deserialize(parameters).ok()
    }

    /// What so many blocks have added, the first of which begins a period, to a state with `entries` in its permanent tier.
    pub(super) fn after(&self, blocks: u64, mix: &Mix, entries: f64) -> Objects {
        let (temporary, sealed) = self.temporary(blocks, mix.temporary);
        let added = mix.permanent * blocks as f64;
        let cold = self.cold_blocks(blocks, entries + added.max(0.0));
        let expired = mix.permanent.max(0.0) * cold;
        Objects {
            permanent: added - expired,
            expired,
            temporary,
            sealed,
            records: mix.records * blocks as f64,
        }
    }

    /// Entries that are live, or wait for their seal, and entries that are sealed.
    fn temporary(&self, blocks: u64, each: f64) -> (f64, f64) {
        let rules = TemporaryRules {
            period_length: self.temporary.period_length.max(1),
            ..self.temporary
        };
        let periods = blocks.div_ceil(rules.period_length);
        // The last block has the number `blocks - 1`.
        let sealed_periods = (0..periods)
            .take_while(|period| rules.sealed_at(PeriodId(*period)).0 < blocks)
            .count() as u64;
        let sealed = each.max(0.0) * (sealed_periods * rules.period_length) as f64;
        (each * blocks as f64 - sealed, sealed)
    }

    /// Blocks whose entries the sweep has cut: they are cold, and it has been around once since.
    fn cold_blocks(&self, blocks: u64, entries: f64) -> f64 {
        self.expiry.map_or(0.0, |expiry| {
            let round = entries / expiry.cap_per_block.max(1) as f64;
            (blocks as f64 - expiry.after_blocks as f64 - round).max(0.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use thinstate_formats::temporary::Retention;

    const MIX: Mix = Mix {
        permanent: 3.0,
        temporary: 2.0,
        records: 5.0,
    };

    fn rules() -> Rules {
        Rules {
            temporary: TemporaryRules {
                period_length: 100,
                seal_delay_blocks: 10,
                ..TemporaryRules::default()
            },
            expiry: None,
        }
    }

    #[test]
    fn no_entry_leaves_before_its_period_is_sealed() {
        let rules = rules();
        // Period 0 is frozen in block 200, and sealed in block 210: the 211th.
        let table = [
            (0, 0.0),
            (210, 0.0),
            (211, 200.0),
            (310, 200.0),
            (311, 400.0),
        ];
        for (blocks, sealed) in table {
            let got = rules.after(blocks, &MIX, 0.0);
            assert_eq!(got.sealed, sealed, "after {blocks} blocks");
            // None is lost, and none is there twice.
            assert_eq!(got.temporary + got.sealed, 2.0 * blocks as f64);
            assert_eq!(got.records, 5.0 * blocks as f64);
            assert_eq!((got.permanent, got.expired), (3.0 * blocks as f64, 0.0));
        }
        let mut shorter = rules;
        shorter.temporary.retention = Retention::OnePeriod;
        assert_eq!(shorter.after(110, &MIX, 0.0).sealed, 0.0);
        assert_eq!(shorter.after(111, &MIX, 0.0).sealed, 200.0);
        // More is deleted than created: nothing is sealed that was never there.
        let shrinks = Mix {
            temporary: -2.0,
            ..MIX
        };
        let got = rules.after(1_000, &shrinks, 0.0);
        assert_eq!((got.temporary, got.sealed), (-2_000.0, 0.0));
    }

    #[test]
    fn no_entry_expires_before_the_sweep_is_around() {
        let expiry = ExpirySpec {
            after_blocks: 1_000,
            entries_max: 64,
            cap_per_block: 100,
            archive_backed: false,
        };
        let rules = Rules {
            expiry: Some(expiry),
            ..rules()
        };
        // 6,000 entries and 30 for each ten blocks: a round takes 60 blocks and one for each 33.
        for (blocks, expired) in [(1_000, 0.0), (1_090, 0.0), (2_000, 3.0 * (1_000.0 - 120.0))] {
            let got = rules.after(blocks, &MIX, 6_000.0);
            assert!((got.expired - expired).abs() < 20.0, "{blocks}: {got:?}");
            assert_eq!(got.permanent + got.expired, 3.0 * blocks as f64);
        }
        let shrinks = Mix {
            permanent: -1.0,
            ..MIX
        };
        assert_eq!(rules.after(5_000, &shrinks, 6_000.0).expired, 0.0);
    }

    #[test]
    fn rules_of_a_design_are_never_another_ones() {
        let design = crate::replay::Stores::design("mpt-expiry").expect("a built-in design");
        let mut parameters = design.info(None).parameters;
        let rules = Rules::of(&parameters).expect("it says them");
        assert_eq!(rules.expiry, design.expiry);
        assert!(rules.expiry.is_some());
        // What another version has beside them takes nothing away; rules that are otherwise are nobody's.
        parameters["colour"] = json!("green");
        assert_eq!(Rules::of(&parameters), Some(rules));
        parameters["expiry"]["colour"] = json!("green");
        assert_eq!(Rules::of(&parameters), None);
        let design = crate::replay::Stores::design("layered").expect("a built-in design");
        let mut parameters = design.info(None).parameters;
        let rules = Rules::of(&parameters).expect("it says them");
        assert_eq!((rules.temporary, rules.expiry), (design.temporary, None));
        parameters["temporary"]["retention"] = json!("for ever");
        assert_eq!(Rules::of(&parameters), None);
        assert_eq!(
            Rules::of(&json!({ "root": "of its own" })),
            Some(Rules::default())
        );
        assert_eq!(Rules::of(&json!(null)), None);
    }
}
