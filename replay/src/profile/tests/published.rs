//! What is published of mainnet is compared.

use crate::profile::targets::targets;
use std::collections::BTreeMap;

/// What is known of a block at a gas limit of 60 M, of windows of days, of the state, and of a slot of 1,000 times the
/// gas, in the units of the check: the row that compares it, and the number as its source has it.
const PUBLISHED: [(&str, f64); 60] = [
    ("gas of the fullest block (the limit)", 60_000_000.0),
    ("gas used in a block", 30_300_000.0),
    ("transactions in a block", 229.0),
    ("accounts touched", 603.0),
    ("accounts touched, median", 600.0),
    ("slots written", 700.0),
    ("slots written, median", 667.0),
    ("slots only read", 982.0),
    ("slots only read, median", 922.0),
    ("slots added, net", 114.2),
    ("slots added, net, median", 63.0),
    ("accounts added, net", 45.9),
    ("accounts added, net, median", 32.0),
    ("growth, raw leaf bytes a day", 65.2),
    ("growth, bytes on disk a day", 326.0),
    ("slot writes that update", 66.4),
    ("slot writes that create", 25.3),
    ("slot writes that delete", 8.3),
    ("reads of slots only read that find zero", 28.1),
    ("slots written: ERC-20 balances (34 to 44)", 39.0),
    ("slots touched: ERC-20 balances (20 to 27)", 23.5),
    ("slots touched: NFT owners and balances", 2.0),
    ("slots touched: allowances", 1.0),
    ("slot updates hitting 1 day", 85.2),
    ("slot updates hitting 7 days", 91.2),
    ("slot updates hitting 30 days", 94.1),
    ("slot updates hitting 90 days", 95.7),
    ("slot updates hitting 365 days", 97.7),
    ("account updates hitting 1 day", 92.0),
    ("account updates hitting 7 days", 95.1),
    ("account updates hitting 30 days", 97.0),
    ("account updates hitting 90 days", 98.0),
    ("account updates hitting 365 days", 99.0),
    ("top 1 % of slots, of slot writes", 62.0),
    ("top 1 % of slots, of slot reads", 84.0),
    ("top 1 % of accounts, of account writes", 61.0),
    ("top 1 % of accounts, of account reads", 96.0),
    ("slots only read in 30 days that are zero", 82.5),
    ("slots never touched again", 63.3),
    ("different slots written in 30 days", 6.94),
    ("accounts of the state, at mainnet's scale", 379_600_000.0),
    ("slots of the state, at mainnet's scale", 1_552_600_000.0),
    ("Geth's state database, at mainnet's scale", 390.0),
    ("slots for each account", 4.09),
    ("slots per contract", 26.0),
    ("slots per contract, median", 0.0),
    ("slots per contract, p99", 47.0),
    ("slots of the largest contract (68.8 M)", 5.34),
    ("bytes of a slot's value, snapshot", 12.4),
    ("bytes of an account, snapshot", 16.4),
    ("codes read", 249.0),
    ("bytes of a code read", 9_434.0),
    ("1,000x merge: transactions", 229_000.0),
    ("1,000x merge: accounts touched", 603_000.0),
    ("1,000x merge: slots written", 700_000.0),
    ("1,000x merge: slots only read", 982_000.0),
    ("1,000x mixed: transactions", 229_000.0),
    ("1,000x mixed: accounts touched", 603_000.0),
    ("1,000x mixed: slots written", 700_000.0),
    ("1,000x mixed: slots only read", 982_000.0),
];

#[test]
fn no_published_number_is_left_out_or_another() {
    let published = BTreeMap::from(PUBLISHED);
    assert_eq!(published.len(), PUBLISHED.len(), "a row stands twice");
    let targets = targets();
    let compared: BTreeMap<_, _> = targets.iter().map(|it| (it.name, it.mainnet)).collect();
    assert_eq!(compared.len(), targets.len(), "a row is compared twice");
    let names = |rows: &BTreeMap<&'static str, f64>| rows.keys().copied().collect::<Vec<_>>();
    assert_eq!(names(&compared), names(&published));
    for (name, number) in published {
        let got = compared[name];
        assert!(
            (got - number).abs() < 1e-9,
            "{name}: {got}, expected {number}"
        );
    }
    assert!(targets.iter().all(|it| !it.source.is_empty()));
}
