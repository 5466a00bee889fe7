//! A store that lets its permanent tier expire after every block, and one that never does, commit to
//! the same; undoing and doing again included.

mod support;

use support::tiers::{self, UNDO_BLOCKS};
use thinstate_engine::{
    ExpiredReads, ExpiryRule, Options, Store, StoreOptions, leaf_store::MemoryStore,
};
use thinstate_formats::temporary::{LiveCommitment, Retention};

const BLOCKS: u64 = 150;

#[test]
fn no_expiry_shows_in_any_tier() {
    let rules = tiers::rules(LiveCommitment::Deferred, Retention::CurrentAndPrevious);
    let expected = tiers::commitments(rules, BLOCKS);
    let folder = tempfile::tempdir().expect("a folder");
    let options = tiers::options(rules, folder.path());
    let options = StoreOptions {
        permanent: Options {
            expired_reads: ExpiredReads::ArchiveBacked,
            ..options.permanent
        },
        ..options
    };
    let store = Store::open(MemoryStore::new(), options).expect("a store");
    let mut expired = 0;
    for n in 0..BLOCKS {
        assert_eq!(tiers::advance(&store), expected[n as usize], "block {n}");
        let rule = ExpiryRule::written_before(tiers::next(&store));
        let report = store
            .expire(&rule, rule.cap_min())
            .expect("the sweep goes on");
        expired += report.accounts + report.slots;
        assert_eq!(
            store.commitment(),
            Some(expected[n as usize]),
            "after expiring"
        );
        if n % 9 == 8 {
            let depth = (n % UNDO_BLOCKS).min(6);
            for _ in 0..depth {
                store.undo().expect("the block is undone");
            }
            for again in n - depth + 1..=n {
                assert_eq!(
                    tiers::advance(&store),
                    expected[again as usize],
                    "block {again}"
                );
            }
        }
    }
    assert!(expired > 100, "{expired}");
}
