//! Tests of the whole tier against a model, over a store whose failures are arranged.

mod agreement;
mod archive;
mod checkpoints;
mod dropping;
mod failures;
mod measure;
mod model;
mod node;
mod resurrections;
mod sealing;
mod sequential;
mod stale;
mod whole;

use alloy_primitives::{B256, keccak256};
use thinstate_formats::{
    TemporaryRules,
    temporary::{LiveCommitment, Retention, ZeroRule},
};

/// Short periods: 6 blocks, sealed 4 blocks after their end; 3 blocks can be undone.
fn rules(retention: Retention, zero_rule: ZeroRule, commitment: LiveCommitment) -> TemporaryRules {
    TemporaryRules {
        period_length: 6,
        seal_delay_blocks: 4,
        retention,
        zero_rule,
        commitment,
        ..TemporaryRules::default()
    }
}

fn all_rules() -> Vec<TemporaryRules> {
    let mut all = Vec::new();
    for retention in [Retention::OnePeriod, Retention::CurrentAndPrevious] {
        for zero_rule in [ZeroRule::DeleteBoth, ZeroRule::NoTombstone] {
            for commitment in [LiveCommitment::Deferred, LiveCommitment::Incremental] {
                all.push(rules(retention, zero_rule, commitment));
            }
        }
    }
    all
}

fn location(n: u64) -> B256 {
    keccak256(n.to_le_bytes())
}

fn value(n: u64) -> B256 {
    B256::left_padding_from(&n.to_be_bytes())
}
