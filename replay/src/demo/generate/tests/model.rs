//! What the EVM does is what the generator's model says, and the same for the same seed.

use super::*;
use alloy_primitives::keccak256;
use std::collections::BTreeSet;

#[test]
fn every_transaction_succeeds_and_the_evm_does_what_the_model_says() {
    let accounts = funded(400, 100);
    let mut chain = Chain::new(&accounts);
    let mut generator = BlockGenerator::new(demo_profile(20), accounts).unwrap();
    let mut load_blocks = 0;
    let mut number = 0;
    while let Some(block) = generator.next().transpose().unwrap() {
        number += 1;
        assert_eq!(block.number.0, number);
        load_blocks += u64::from(block.kind == BlockKind::Load);
        let promised: u64 = block.txs.iter().map(|tx| tx.gas_limit).sum();
        assert!(
            promised <= block.gas_limit,
            "block {number}: {promised} gas of {}",
            block.gas_limit
        );
        assert!(chain.execute(&block).gas_used <= promised);
        assert_model_holds(&generator, &chain);
    }
    assert_eq!(load_blocks, 20);
}

#[test]
fn a_seed_never_gives_two_chains() {
    let accounts = funded(300, 100);
    let mut reversed = accounts.clone();
    reversed.reverse();
    let first = digest(&demo_profile(3), accounts.clone());
    assert_eq!(
        first,
        digest(&demo_profile(3), reversed),
        "the order of the accounts matters"
    );
    assert_ne!(
        first,
        digest(
            &Profile {
                seed: 2,
                ..demo_profile(3)
            },
            accounts
        )
    );
    let pinned = b256!("137b38d2f8d94e5fe9b3be412e8748c53cdd3ccbad3538946cf017bc2a0a06bb");
    assert_eq!(
        first, pinned,
        "the chain of a seed has changed: figures published for it no longer hold"
    );
}

fn digest(profile: &Profile, accounts: Vec<(Address, U256)>) -> B256 {
    let blocks: Result<Vec<_>, _> = BlockGenerator::new(profile.clone(), accounts)
        .unwrap()
        .collect();
    keccak256(format!("{:?}", blocks.unwrap()))
}

#[test]
fn a_wiped_vault_leaves_nothing_behind_even_if_it_is_born_again_in_the_same_block() {
    for rebirth in [0.0, 1.0] {
        let mut profile = quiet_profile(12);
        profile.transactions.vault_batches = 8;
        profile.transactions.vault_creations = 3;
        profile.transactions.vault_wipes = 3;
        profile.setup.vaults = 4;
        profile.popularity.vaults = 0.0;
        profile.shares.rebirth = rebirth;
        let accounts = funded(200, 100);
        let mut chain = Chain::new(&accounts);
        let mut generator = BlockGenerator::new(profile, accounts).unwrap();
        let mut wiped = BTreeSet::new();
        while let Some(block) = generator.next().transpose().unwrap() {
            let destroyed = block
                .txs
                .iter()
                .filter(|tx| tx.data.is_empty())
                .filter_map(|tx| tx.to);
            wiped.extend(destroyed);
            chain.execute(&block);
            assert_model_holds(&generator, &chain);
            let living: BTreeSet<_> = generator.vaults().iter().map(Vault::address).collect();
            for &address in wiped.difference(&living) {
                assert!(!chain.exists(address), "{address} was destroyed");
                assert!(
                    chain.storage(address).is_empty(),
                    "{address} has slots left"
                );
            }
        }
        assert!(wiped.len() >= 10, "only {} vaults were wiped", wiped.len());
        let reborn = generator
            .vaults()
            .iter()
            .filter(|vault| wiped.contains(&vault.address()))
            .count();
        assert_eq!(reborn > 0, rebirth > 0.0);
    }
}

#[test]
fn nothing_sent_to_nobody_leaves_an_account_that_was_touched_and_is_empty() {
    let mut profile = quiet_profile(2);
    profile.transactions.empty_touches = 20;
    let accounts = funded(200, 100);
    let mut chain = Chain::new(&accounts);
    for block in BlockGenerator::new(profile, accounts).unwrap() {
        let block = block.unwrap();
        chain.execute(&block);
        if block.kind == BlockKind::Load {
            let touched = block.txs.iter().filter_map(|tx| tx.to);
            for address in touched {
                assert!(
                    chain.db.cache.accounts.contains_key(&address),
                    "{address} was not touched"
                );
                assert!(!chain.exists(address), "{address} came to be");
            }
        }
    }
}

#[test]
fn a_created_contract_has_code_of_its_own_and_its_slots() {
    let mut profile = quiet_profile(3);
    profile.transactions.contract_creations = 5;
    profile.sizes.creation_slots = Span { min: 3, max: 3 };
    profile.sizes.creation_code_bytes = Span {
        min: 1_000,
        max: 1_000,
    };
    let accounts = funded(200, 100);
    let mut chain = Chain::new(&accounts);
    let mut hashes = BTreeSet::new();
    for block in BlockGenerator::new(profile, accounts).unwrap() {
        let block = block.unwrap();
        let created = chain.execute(&block).created;
        if block.kind == BlockKind::Load {
            for address in created
                .into_iter()
                .map(|address| address.expect("each transaction creates a contract"))
            {
                let info = &chain.db.cache.accounts[&address].info;
                assert_eq!(
                    chain.db.cache.contracts[&info.code_hash]
                        .original_bytes()
                        .len(),
                    1_000
                );
                assert_eq!(chain.storage(address).len(), 3);
                assert!(
                    hashes.insert(info.code_hash),
                    "two contracts have the same code"
                );
            }
        }
    }
    assert_eq!(hashes.len(), 15);
}
