//! What goes wrong while a block executes must be said as what it is: a read that failed is never a
//! broken rule, and a broken rule never passes.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use alloy_consensus::{Signed, TxEnvelope, transaction::SignerRecoverable};
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{Address, B256, Bytes, Signature, U256, uint};
use std::cell::Cell;
use support::{WitnessState, mainnet};
use thinstate_formats::{Account, StateReader};
use thinstate_replay::{
    exec::{
        BlockHashes, ChainSpec, ExecError, Mismatch, ReadError, check_body, check_outcome,
        execute_block, recover_senders,
    },
    source::witness::{self, BlockWitness},
};

/// A state that fails at its n-th read.
struct Failing<'a> {
    state: &'a WitnessState,
    left: Cell<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the read was made to fail")]
struct MadeToFail;

impl Failing<'_> {
    fn next<T, E: std::fmt::Debug>(&self, read: Result<T, E>) -> Result<T, MadeToFail> {
        let left = self.left.get().checked_sub(1).ok_or(MadeToFail)?;
        self.left.set(left);
        Ok(read.unwrap())
    }
}

impl StateReader for Failing<'_> {
    type Error = MadeToFail;

    fn account(&self, address: Address) -> Result<Option<Account>, MadeToFail> {
        self.next(self.state.account(address))
    }

    fn slot(&self, address: Address, slot: U256) -> Result<U256, MadeToFail> {
        self.next(self.state.slot(address, slot))
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, MadeToFail> {
        self.next(self.state.code(code_hash))
    }
}

fn block(number: u64) -> Option<BlockWitness> {
    let path = mainnet("witness")?.join(format!("{number}.json.zst"));
    Some(witness::read(&path).unwrap())
}

fn run<R: StateReader>(
    state: &R,
    witness: &BlockWitness,
    hashes: &BlockHashes,
) -> Result<u64, ExecError<R::Error>> {
    execute_block(state, &witness.block, hashes, &ChainSpec::mainnet()).map(|o| o.reads.accounts)
}

/// Reads of system calls, transactions, rewards, withdrawals and requests: whichever fails.
#[test]
fn a_failed_read_never_looks_like_an_invalid_block() {
    // Frontier, Homestead, Tangerine Whistle, Istanbul; Paris; Shanghai (withdrawals); Cancun,
    // Prague (system calls before and after).
    let forks = [
        231_501, 1_155_095, 2_463_000, 9_069_000, 15_537_394, 17_106_222, 21_000_001, 22_825_315,
    ];
    for number in forks {
        let Some(witness) = block(number) else { return };
        let state = WitnessState::new(&witness);
        let spec = ChainSpec::mainnet();
        let reads = execute_block(&state, &witness.block, &witness.block_hashes, &spec)
            .unwrap()
            .reads;
        let total = reads.accounts + reads.slots + reads.codes;
        let stride = (total / 16).max(1);
        let chosen = (0..total).filter(|n| n % stride == 0 || *n < 6 || n + 12 > total);
        for n in chosen {
            let failing = Failing {
                state: &state,
                left: Cell::new(n),
            };
            let error = run(&failing, &witness, &witness.block_hashes).unwrap_err();
            let ExecError::Read { source, .. } = error else {
                panic!("block {number}, read {n}: {error:?}");
            };
            assert!(
                matches!(
                    source,
                    ReadError::Account {
                        source: MadeToFail,
                        ..
                    } | ReadError::Slot {
                        source: MadeToFail,
                        ..
                    } | ReadError::Code {
                        source: MadeToFail,
                        ..
                    }
                ),
                "block {number}, read {n}: {source:?}"
            );
        }
    }
}

#[test]
fn a_missing_code_is_not_taken_for_an_empty_one() {
    let Some(witness) = block(231_501) else {
        return;
    };
    let mut state = WitnessState::new(&witness);
    state.remove_codes();
    let error = run(&state, &witness, &witness.block_hashes).unwrap_err();
    assert!(
        matches!(
            error,
            ExecError::Read {
                source: ReadError::CodeMissing { .. },
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_missing_block_hash_is_not_taken_for_zero() {
    let Some(witnesses) = mainnet("witness") else {
        return;
    };
    let mut asked = 0;
    for path in witness::find(&witnesses).unwrap() {
        let witness = witness::read(&path).unwrap();
        let state = WitnessState::new(&witness);
        let spec = ChainSpec::mainnet();
        let reads = execute_block(&state, &witness.block, &witness.block_hashes, &spec)
            .unwrap()
            .reads;
        if reads.block_hashes == 0 {
            continue;
        }
        asked += 1;
        let error = run(&state, &witness, &BlockHashes::new()).unwrap_err();
        assert!(
            matches!(
                error,
                ExecError::Read {
                    source: ReadError::BlockHashMissing { .. },
                    ..
                }
            ),
            "{}: {error:?}",
            path.display()
        );
    }
    assert!(
        asked > 0,
        "no block of the data uses BLOCKHASH: the test shows nothing"
    );
    eprintln!("{asked} blocks ask for a block hash");
}

#[test]
fn no_altered_header_passes() {
    let Some(witness) = block(22_825_315) else {
        return;
    };
    let state = WitnessState::new(&witness);
    let spec = ChainSpec::mainnet();
    let outcome = execute_block(&state, &witness.block, &witness.block_hashes, &spec).unwrap();
    let good = witness.block.header.clone();
    check_outcome(&good, &outcome).unwrap();

    let field = |mismatch: Mismatch| match mismatch {
        Mismatch::Hash { field, .. }
        | Mismatch::Gas { field, .. }
        | Mismatch::Presence { field, .. } => field,
        Mismatch::LogsBloom { .. } => "logs_bloom",
    };
    let mut header = good.clone();
    header.gas_used += 1;
    assert_eq!(
        field(check_outcome(&header, &outcome).unwrap_err()),
        "gas_used"
    );
    let mut header = good.clone();
    header.blob_gas_used = Some(1);
    assert_eq!(
        field(check_outcome(&header, &outcome).unwrap_err()),
        "blob_gas_used"
    );
    let mut header = good.clone();
    header.logs_bloom.0[7] ^= 1;
    assert_eq!(
        field(check_outcome(&header, &outcome).unwrap_err()),
        "logs_bloom"
    );
    let mut header = good.clone();
    header.receipts_root.0[0] ^= 1;
    assert_eq!(
        field(check_outcome(&header, &outcome).unwrap_err()),
        "receipts_root"
    );
    let mut header = good;
    header.requests_hash = Some(B256::ZERO);
    assert_eq!(
        field(check_outcome(&header, &outcome).unwrap_err()),
        "requests_hash"
    );
}

#[test]
fn no_altered_body_passes() {
    let Some(witness) = block(22_825_315) else {
        return;
    };
    let expect = |alter: fn(&mut BlockWitness), field: &str| {
        let mut witness = witness.clone();
        alter(&mut witness);
        let mismatch = check_body(&witness.block).unwrap_err();
        assert!(mismatch.to_string().starts_with(field), "{mismatch}");
    };
    expect(
        |w| drop(w.block.body.transactions.pop()),
        "transactions_root",
    );
    expect(
        |w| w.block.body.ommers.push(w.block.header.clone()),
        "ommers_hash",
    );
    expect(|w| w.block.body.withdrawals = None, "withdrawals_root");
    expect(
        |w| w.block.body.withdrawals.as_mut().unwrap().0.truncate(1),
        "withdrawals_root",
    );
}

#[test]
fn a_transaction_that_cannot_be_paid_for_stops_the_block() {
    let Some(witness) = block(231_501) else {
        return;
    };
    let mut poor = witness.clone();
    poor.block.body.transactions = poor.block.body.transactions.iter().map(spend_all).collect();
    let state = WitnessState::new(&witness);
    // Another signing hash gives another sender; that the account is not in the witness may show
    // first. Either way the block must not go through.
    let error = run(&state, &poor, &witness.block_hashes).unwrap_err();
    assert!(
        matches!(error, ExecError::Invalid { .. } | ExecError::Read { .. }),
        "{error:?}"
    );
}

fn spend_all(tx: &TxEnvelope) -> TxEnvelope {
    let TxEnvelope::Legacy(signed) = tx else {
        panic!("blocks of 2015 hold legacy transactions")
    };
    let mut tx = signed.tx().clone();
    tx.value = U256::MAX;
    TxEnvelope::Legacy(Signed::new_unhashed(tx, *signed.signature()))
}

/// EIP-2: each signature has a twin with `s` mirrored, which Homestead forbids.
#[test]
fn a_mirrored_signature_is_refused_from_homestead_on() {
    const ORDER: U256 =
        uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);
    let Some(witness) = block(231_501) else {
        return;
    };
    let original = &witness.block.body.transactions[0];
    let TxEnvelope::Legacy(signed) = original else {
        panic!("expected a legacy transaction")
    };
    let low = signed
        .signature()
        .normalize_s()
        .unwrap_or(*signed.signature());
    let high = Signature::new(low.r(), ORDER - low.s(), !low.v());
    let twin = [TxEnvelope::Legacy(Signed::new_unhashed(
        signed.tx().clone(),
        high,
    ))];

    let frontier = recover_senders(&twin, EthereumHardfork::Frontier).unwrap();
    assert_eq!(
        frontier[0].signer(),
        original.recover_signer_unchecked().unwrap()
    );
    let error = recover_senders(&twin, EthereumHardfork::Homestead).unwrap_err();
    assert_eq!((error.index, error.hash), (0, *twin[0].tx_hash()));
}
