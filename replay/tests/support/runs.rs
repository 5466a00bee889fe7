//! Runs that nobody ran: folders of results with figures drawn from a seed.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use alloy_primitives::B256;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::{collections::BTreeMap, path::Path, time::Duration};
use thinstate_formats::BlockNumber;
use thinstate_replay::measure::{
    BlockCost, DesignInfo, LastBlock, Program, RESULT_SCHEMA, Recorder, RunResult, RunStatus,
    StateSize, TierWork, Totals, WorkloadInfo,
};

/// Blocks of the burn-in of every run here.
pub(crate) const WARM_UP: u64 = 5;

/// What a block cost: like mainnet's in shape, and the same for the same number.
pub(crate) fn cost(number: u64, slowdown: f64) -> BlockCost {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let mut ms = |low: u32, high: u32| {
        let us = random.random_range(low * 1000..high * 1000);
        Duration::from_micros(us.into()).mul_f64(slowdown)
    };
    let (state_read, state_hash, commit) = (ms(20, 60), ms(30, 50), ms(5, 40));
    BlockCost {
        number: BlockNumber(number),
        blocks: 1,
        gas_used: 30_000_000,
        tx_count: 229,
        warm_up: number < WARM_UP,
        state_root: Some(B256::with_last_byte(number as u8)),
        commitment: B256::repeat_byte(number as u8),
        slots: TierWork {
            reads_hit: 1000 + number % 7,
            updated: 466,
            ..TierWork::default()
        },
        device_reads: 900 + number % 50,
        state_read,
        state_hash,
        commit,
        total: state_read + state_hash + commit,
        cpu: state_hash,
        memory_bytes: 1 << 28,
        ..BlockCost::default()
    }
}

/// A result to go with such blocks.
pub(crate) fn result(recorder: &Recorder, blocks: u64) -> RunResult {
    let metrics = recorder.distributions();
    RunResult {
        schema: RESULT_SCHEMA.to_owned(),
        status: RunStatus::Completed,
        error: None,
        decided: None,
        started_at: 1_790_000_000,
        wall_s: 100.0,
        program: Program::this(),
        config: serde_json::json!({"seed": 1}),
        labels: BTreeMap::new(),
        machine: serde_json::json!({"hostname": "here"}),
        device: None,
        workload: WorkloadInfo {
            kind: "generated".to_owned(),
            source: "mainnet-2026".to_owned(),
            seed: Some(1),
            amplify: "none".to_owned(),
            gas_multiple: 1,
            slot_s: 12.0,
            loop_kind: "closed".to_owned(),
            speed_up: None,
            warm_up_blocks: WARM_UP,
            blocks,
            slots_written_by_class: BTreeMap::new(),
            slots_touched_by_class: BTreeMap::new(),
            deviations: vec![],
        },
        design: DesignInfo {
            name: "mpt".to_owned(),
            summary: "everything in the permanent tier".to_owned(),
            tiers: BTreeMap::new(),
            trie: Some("mainnet".to_owned()),
            parameters: serde_json::json!({}),
        },
        state_before: StateSize::default(),
        state_after: StateSize::default(),
        totals: Totals {
            blocks,
            elapsed_s: 90.0,
            ..Totals::default()
        },
        last: Some(LastBlock {
            number: BlockNumber(WARM_UP + blocks - 1),
            state_root: None,
            commitment: B256::ZERO,
        }),
        metrics,
        noise_floor: BTreeMap::new(),
    }
}

/// A whole run in a folder.
pub(crate) fn record(dir: &Path, blocks: u64, slowdown: f64) {
    record_with(dir, blocks, slowdown, |_| {});
}

/// The same, with something changed in its result.
pub(crate) fn record_with(
    dir: &Path,
    blocks: u64,
    slowdown: f64,
    change: impl FnOnce(&mut RunResult),
) {
    let mut recorder = Recorder::create(dir).unwrap();
    for number in 0..WARM_UP + blocks {
        recorder.add(&cost(number, slowdown)).unwrap();
    }
    let mut result = result(&recorder, blocks);
    change(&mut result);
    recorder.finish(&result).unwrap();
}
