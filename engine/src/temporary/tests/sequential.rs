//! What a block writes is one value behind all others of its period, however many entries it changes.

use super::{
    node::{Node, limits, write},
    rules,
};
use crate::{
    TemporaryLimits,
    leaf_store::{LeafRead, LeafStore, Table},
};
use thinstate_formats::{
    TemporaryRules,
    temporary::{LiveCommitment, Retention, ZeroRule},
};

/// Bytes of the log of an entry that its period has: a number below 2^21 and a value of one byte, or of two.
const REWRITE_BYTES_MAX: u64 = 3 + 1 + 2;
/// Bytes of the log of a new entry: a mark, its location, its value.
const NEW_BYTES_MAX: u64 = 1 + 32 + 1 + 2;
/// Key, roots, counts and checksum of a block's log.
const BLOCK_BYTES_MAX: u64 = 16 + 41 + 3;

#[test]
fn no_number_of_writes_makes_a_block_more_than_one_appended_value() {
    for commitment in [LiveCommitment::Deferred, LiveCommitment::Incremental] {
        let rules = TemporaryRules {
            period_length: 100,
            ..rules(Retention::default(), ZeroRule::default(), commitment)
        };
        // Checkpoints are values of their own.
        let limits = TemporaryLimits {
            checkpoint_entries_per_block: 0,
            ..limits(u64::MAX)
        };
        let mut node = Node::new(rules, limits, None);
        for block in 0..2 {
            node.apply(block, &[write(0, 1 + block)], &[])
                .expect("it follows");
        }
        let ops = node.ops;
        let mut last = Vec::new();
        for (block, writes) in (2u64..).zip([1u64, 5_000, 100, 20_000, 3]) {
            // Half of them are entries of blocks before, in no order.
            let writes: Vec<_> = (0..writes)
                .map(|n| write(n * 7_919 % 30_000, block))
                .collect();
            let report = node.apply(block, &writes, &[]).expect("it follows");
            assert_eq!(node.ops, ops, "{} writes", writes.len());
            let rewritten = report.writes - report.created;
            assert!(
                report.log_bytes
                    <= BLOCK_BYTES_MAX
                        + report.created * NEW_BYTES_MAX
                        + rewritten * REWRITE_BYTES_MAX,
                "{report:?}"
            );
            let read = node.store.snapshot();
            let found = read.last_at_or_before(Table::Temporary, &[u8::MAX; 17], &[]);
            let (key, _) = found.expect("read").expect("the block's log");
            assert!(key > last, "the log of a block follows those before");
            last = key;
        }
    }
}
