//! What is published of mainnet is compared.

use crate::profile::targets::targets;

/// Everything that is known of a block at a gas limit of 60 M, of its windows of days, of the state, and of a slot of
/// 1,000 times the gas: in the units of the check.
const PUBLISHED: [(&str, &[f64]); 12] = [
    (
        "state: accounts, slots, Geth's database",
        &[379.6e6, 1_552.6e6, 390.0],
    ),
    ("block: limit, gas, transactions", &[60e6, 30.3e6, 229.0]),
    (
        "touched: accounts, slots written and only read",
        &[603.0, 700.0, 982.0],
    ),
    (
        "added: slots and accounts, mean and median",
        &[114.2, 63.0, 45.9, 32.0],
    ),
    ("writes: update, create, delete", &[66.4, 25.3, 8.3]),
    ("slots only read that are zero", &[82.5]),
    ("slot updates by window", &[85.2, 91.2, 94.1, 95.7, 97.7]),
    ("account updates by window", &[92.0, 95.1, 97.0, 98.0, 99.0]),
    (
        "top 1 %: slots, accounts; never again",
        &[62.0, 84.0, 61.0, 96.0, 63.3],
    ),
    (
        "sizes: values, accounts, contracts",
        &[12.4, 16.4, 26.0, 0.0, 47.0, 5.34],
    ),
    ("growth a day: on disk, in leaves", &[326.0, 65.2]),
    (
        "1,000x: accounts, writes, reads, transactions",
        &[603e3, 700e3, 982e3, 229e3],
    ),
];

#[test]
fn no_published_number_is_left_out() {
    let targets = targets();
    for (what, numbers) in PUBLISHED {
        for number in numbers {
            let found = targets.iter().any(|it| (it.mainnet - number).abs() < 1e-9);
            assert!(found, "{what}: {number}");
        }
    }
    assert!(targets.iter().all(|it| !it.source.is_empty()));
}
