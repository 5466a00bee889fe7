//! Mainnet's own blocks, every fork: their bodies match what their headers commit to.

use std::fs;

use alloy_consensus::{Block, TxEnvelope};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::Decodable as _;

use super::mainnet_folder;
use crate::source::era1::block::check_body;

fn witness_block(path: &std::path::Path) -> Block<TxEnvelope> {
    let json = zstd::decode_all(fs::File::open(path).unwrap()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let rlp: Bytes = json["block"].as_str().unwrap().parse().unwrap();
    Block::decode(&mut rlp.as_ref()).unwrap()
}

#[test]
fn mainnets_bodies_are_not_refused_nor_altered_ones_accepted() {
    let Some(folder) = mainnet_folder("witness") else {
        return;
    };
    let mut transactions = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let block = witness_block(&entry.unwrap().path());
        let number = block.header.number;
        assert_eq!(
            check_body(&block.header, &block.body),
            Ok(()),
            "block {number}"
        );
        transactions += block.body.transactions.len();

        let mut altered = block.header.clone();
        altered.transactions_root = B256::ZERO;
        assert!(check_body(&altered, &block.body).is_err(), "block {number}");
        let mut altered = block.header.clone();
        altered.ommers_hash = B256::ZERO;
        assert!(check_body(&altered, &block.body).is_err(), "block {number}");
    }
    assert!(transactions > 0, "no transactions in mainnet's blocks");
}
