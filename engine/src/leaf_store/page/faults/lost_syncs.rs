//! Syncs that fail and lose what they were to write, although it is still read and the next sync
//! succeeds: a store that was opened again on such bytes must not rely on them.

use super::super::disk::{Fault, On, Operation, SimDisk};
use super::script::{run_on, script};
use super::{goes_on, reopened};

fn lose_every_sync(script_seed: u64, is_cache_dropped: bool) {
    let steps = script(script_seed, 40);
    let whole = SimDisk::new();
    run_on(&whole, &steps);
    for at in 0..whole.count(On::Each(Operation::Sync)) {
        let context = format!("script {script_seed}, sync {at}, dropped {is_cache_dropped}");
        let disk = SimDisk::new();
        disk.inject(Fault::LostSync, On::Each(Operation::Sync), at);
        let reached = run_on(&disk, &steps);
        disk.heal();
        if is_cache_dropped {
            disk.drop_cache();
        }
        let state = reopened(&disk, &reached.allowed(), &context);
        goes_on(&disk, state, at, &context);
    }
}

#[test]
fn a_lost_sync_never_loses_a_committed_block() {
    for script_seed in 200..203 {
        lose_every_sync(script_seed, true);
    }
}

#[test]
fn bytes_that_only_the_cache_has_are_never_relied_on() {
    for script_seed in 210..213 {
        lose_every_sync(script_seed, false);
    }
}
