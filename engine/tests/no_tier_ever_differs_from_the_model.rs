//! Ledgers on the store itself, on all three tiers at once: random calls, periods that end and are
//! sealed, resurrections, reorganisations and reopenings, compared with plain maps after each block.

mod support;

use proptest::prelude::*;
use support::{
    ledger_driver::{Contracts, Driver},
    ledger_model::{Step, steps},
    ledger_scenarios,
    store_world::{Manner, StoreWorld},
};
use thinstate_formats::{
    HashKind, TemporaryRules,
    object::{ObjectClass, Tier},
    temporary::{LiveCommitment, Retention, ZeroRule},
};

fn rules() -> impl Strategy<Value = TemporaryRules> {
    let retention = prop_oneof![
        Just(Retention::OnePeriod),
        Just(Retention::CurrentAndPrevious)
    ];
    let zero_rule = prop_oneof![Just(ZeroRule::DeleteBoth), Just(ZeroRule::NoTombstone)];
    let commitment = prop_oneof![
        Just(LiveCommitment::Incremental),
        Just(LiveCommitment::Deferred)
    ];
    let lengths = (3u64..8).prop_flat_map(|length| (Just(length), 2..=length));
    (lengths, retention, zero_rule, commitment, 0..3usize).prop_map(
        |((period_length, seal_delay_blocks), retention, zero_rule, commitment, hash)| {
            TemporaryRules {
                period_length,
                seal_delay_blocks,
                retention,
                zero_rule,
                commitment,
                hash: HashKind::ALL[hash],
            }
        },
    )
}

fn contracts() -> Vec<alloy_primitives::Address> {
    let classes = [
        ObjectClass::Erc20Balance,
        ObjectClass::Erc721Owner,
        ObjectClass::Cdp,
    ];
    let of_tier = |tier| classes.map(|class| Contracts::new(tier).address(class));
    Tier::ALL.into_iter().flat_map(of_tier).collect()
}

fn drive(rules: TemporaryRules, manner: Manner, steps: &[Step]) -> Driver<StoreWorld> {
    let world = StoreWorld::new(rules, manner, contracts());
    let mut driver = Driver::new(world, rules);
    driver.run(steps);
    driver
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_balance_differs_and_no_version_is_used_twice(
        rules in rules(),
        reopen_every in prop::option::of(1u64..9),
        steps in steps(1..60, 9, 6),
    ) {
        let manner = Manner { reopen_every, ..Manner::default() };
        drive(rules, manner, &steps);
    }

    #[test]
    fn no_commitment_depends_on_how_a_node_works(
        rules in rules(),
        seal_leaves_per_block in prop_oneof![Just(0u64), 1..20u64, Just(1 << 20)],
        checkpoint_commits in 1u64..9,
        reopen_every in prop::option::of(1u64..5),
        steps in steps(1..40, 9, 6),
    ) {
        let plain = drive(rules, Manner::default(), &steps);
        let other = Manner { threads: 2, seal_leaves_per_block, checkpoint_commits, reopen_every };
        let other = drive(rules, other, &steps);
        prop_assert_eq!(plain.world.commitments, other.world.commitments);
    }
}

#[test]
fn no_version_is_lost_or_used_twice_in_the_store() {
    for retention in [Retention::OnePeriod, Retention::CurrentAndPrevious] {
        for zero_rule in [ZeroRule::DeleteBoth, ZeroRule::NoTombstone] {
            let rules = TemporaryRules {
                period_length: 30,
                seal_delay_blocks: 20,
                retention,
                zero_rule,
                ..TemporaryRules::default()
            };
            let world = StoreWorld::new(rules, Manner::default(), contracts());
            ledger_scenarios::a_balance_left_alone_for_many_periods(world, rules);
        }
    }
}

#[test]
fn no_dust_makes_an_owner_dear_in_the_store() {
    let rules = TemporaryRules {
        period_length: 100,
        seal_delay_blocks: 2,
        ..TemporaryRules::default()
    };
    let world = StoreWorld::new(rules, Manner::default(), contracts());
    ledger_scenarios::dust_without_end(world, rules);
}

/// The tests above are worth something only if most kinds of calls get through.
#[test]
fn no_kind_of_call_is_left_out() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut calls = [0; 3];
    for _ in 0..12 {
        let rules = rules().new_tree(&mut runner).expect("rules").current();
        let steps = steps(30..60, 9, 6).new_tree(&mut runner).expect("steps");
        let driver = drive(rules, Manner::default(), &steps.current());
        for (sum, calls) in calls.iter_mut().zip(driver.calls) {
            *sum += calls;
        }
    }
    let [done, refused, resurrected] = calls;
    assert!(done > 500 && refused > 100 && resurrected > 30, "{calls:?}");
}
