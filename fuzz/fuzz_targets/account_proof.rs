//! Whatever a proof holds, its verification must not panic. The input is JSON as `eth_getProof`
//! returns it, verified against the hash of its own first node, so that hashes fit at the root, and
//! against that of nothing.

#![no_main]

use alloy_primitives::{B256, keccak256};
use libfuzzer_sys::fuzz_target;
use thinstate_formats::proof::AccountProof;

fuzz_target!(|bytes: &[u8]| {
    let Ok(proof) = serde_json::from_slice::<AccountProof>(bytes) else {
        return;
    };
    let root = proof.account_proof.first().map_or(B256::ZERO, keccak256);
    let _ = proof.verify(root);
    for slot in &proof.storage_proof {
        let root = slot.proof.first().map_or(B256::ZERO, keccak256);
        let _ = thinstate_formats::proof::verify_slot(root, slot);
    }
});
