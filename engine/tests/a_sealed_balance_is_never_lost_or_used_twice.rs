//! Resurrection from end to end, under every rule of the temporary tier.

mod support;

use support::{ledger_host::MemoryWorld, ledger_scenarios};
use thinstate_formats::{
    TemporaryRules,
    temporary::{Retention, ZeroRule},
};

fn all_rules() -> impl Iterator<Item = TemporaryRules> {
    let retentions = [Retention::OnePeriod, Retention::CurrentAndPrevious];
    let both = retentions.into_iter().flat_map(|retention| {
        [ZeroRule::DeleteBoth, ZeroRule::NoTombstone].map(|zero_rule| (retention, zero_rule))
    });
    both.flat_map(|(retention, zero_rule)| {
        [(6, 1), (6, 6), (13, 5)].map(|(period_length, seal_delay_blocks)| TemporaryRules {
            period_length,
            seal_delay_blocks,
            retention,
            zero_rule,
            ..TemporaryRules::default()
        })
    })
}

#[test]
fn no_version_is_lost_or_used_twice_whatever_the_order() {
    for rules in all_rules() {
        let world = MemoryWorld::new(rules);
        ledger_scenarios::a_balance_left_alone_for_many_periods(world, rules);
    }
}

#[test]
fn no_dust_makes_an_owner_dear() {
    let rules = TemporaryRules {
        period_length: 100,
        seal_delay_blocks: 1,
        ..TemporaryRules::default()
    };
    ledger_scenarios::dust_without_end(MemoryWorld::new(rules), rules);
}
