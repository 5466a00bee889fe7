//! The same calls give the same balances on all tiers, whatever falls asleep, comes back, or is
//! undone.

mod support;

use proptest::prelude::*;
use support::{
    ledger_driver::Driver,
    ledger_host::MemoryWorld,
    ledger_model::{Step, steps},
};
use thinstate_formats::{
    TemporaryRules,
    temporary::{Retention, ZeroRule},
};

fn rules() -> impl Strategy<Value = TemporaryRules> {
    let retention = prop_oneof![
        Just(Retention::OnePeriod),
        Just(Retention::CurrentAndPrevious)
    ];
    let zero_rule = prop_oneof![Just(ZeroRule::DeleteBoth), Just(ZeroRule::NoTombstone)];
    (2u64..6, 1u64..3, retention, zero_rule).prop_map(
        |(period_length, seal_delay_blocks, retention, zero_rule)| TemporaryRules {
            period_length,
            seal_delay_blocks,
            retention,
            zero_rule,
            ..TemporaryRules::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn no_tier_gives_another_balance(rules in rules(), steps in steps(1..60, 9, 12)) {
        let mut driver = Driver::new(MemoryWorld::new(rules), rules);
        driver.run(&steps);
    }
}

/// The test above is worth something only if most kinds of calls get through.
#[test]
fn no_kind_of_call_is_left_out() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut calls = [0; 3];
    for _ in 0..20 {
        let rules = rules().new_tree(&mut runner).expect("rules").current();
        let steps: Vec<Step> = steps(30..60, 9, 12)
            .new_tree(&mut runner)
            .expect("steps")
            .current();
        let mut driver = Driver::new(MemoryWorld::new(rules), rules);
        driver.run(&steps);
        for (sum, calls) in calls.iter_mut().zip(driver.calls) {
            *sum += calls;
        }
    }
    let [done, refused, resurrected] = calls;
    assert!(
        done > 1_000 && refused > 200 && resurrected > 100,
        "{calls:?}"
    );
}
