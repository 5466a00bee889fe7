//! The demo's profile against mainnet: its genesis, and its mean block.

use super::*;
use alloy_genesis::Genesis;
use alloy_trie::{TrieAccount, root::state_root_unhashed};

/// What a run did in all, counted as mainnet's figures are: distinct slots of each block.
#[derive(Default)]
struct Census {
    txs: u64,
    written: u64,
    created: u64,
    deleted: u64,
    read: u64,
    read_absent: u64,
}

impl Census {
    fn add(&mut self, block: &GeneratedBlock, outcome: &Outcome) {
        self.txs += block.txs.len() as u64;
        for (before, after) in outcome.slots.values() {
            let changed = before != after;
            self.written += u64::from(changed);
            self.created += u64::from(changed && before.is_zero());
            self.deleted += u64::from(changed && after.is_zero());
            self.read += u64::from(!changed);
            self.read_absent += u64::from(!changed && before.is_zero());
        }
    }
}

#[test]
fn the_demo_stays_as_close_to_mainnet_as_its_profile_says() {
    const BLOCKS: u64 = 60;
    let accounts = mainnet_genesis();
    let mut chain = Chain::new(&accounts);
    let mut census = Census::default();
    let mut accounts_at_start = None;
    for block in BlockGenerator::new(demo_profile(BLOCKS), accounts).unwrap() {
        let block = block.unwrap();
        if block.kind == BlockKind::Load {
            accounts_at_start.get_or_insert_with(|| chain.account_count());
        }
        let outcome = chain.execute(&block);
        if block.kind == BlockKind::Load {
            census.add(&block, &outcome);
        }
    }
    let opened = chain.account_count() - accounts_at_start.expect("there are blocks");
    let mut missed = Vec::new();
    for (name, total, range) in [
        ("transactions", census.txs, 228.0..231.0),
        ("accounts opened", opened as u64, 35.0..50.0),
        ("slots written", census.written, 650.0..750.0),
        ("slots created", census.created, 150.0..200.0),
        ("slots deleted", census.deleted, 45.0..65.0),
        ("slots only read", census.read, 900.0..1_050.0),
        ("absent slots read", census.read_absent, 750.0..870.0),
    ] {
        let mean = total as f64 / BLOCKS as f64;
        if !range.contains(&mean) {
            missed.push(format!(
                "{name} in a block: got {mean:.1}, expected {range:?}"
            ));
        }
        println!("{name} in a block: {mean:.1}");
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn the_genesis_file_is_mainnets() {
    let accounts = mainnet_genesis();
    assert_eq!(accounts.len(), 8_893);
    let leaves = accounts.into_iter().map(|(address, balance)| {
        (
            address,
            TrieAccount {
                balance,
                ..TrieAccount::default()
            },
        )
    });
    let expected = b256!("d7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544");
    assert_eq!(state_root_unhashed(leaves), expected);
}

/// The accounts of the file in data/, all of which are externally owned.
fn mainnet_genesis() -> Vec<(Address, U256)> {
    let packed = std::fs::read(GENESIS).unwrap();
    let text = zstd::decode_all(&packed[..]).unwrap();
    let genesis: Genesis = serde_json::from_slice(&text).unwrap();
    genesis
        .alloc
        .into_iter()
        .map(|(address, account)| (address, account.balance))
        .collect()
}
