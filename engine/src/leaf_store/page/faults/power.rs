//! Power cuts at every operation that changes the disk.

use super::super::disk::{Fault, On, SimDisk};
use super::script::{run_on, script};
use super::{goes_on, open, reopened};

/// Cuts the power at each operation of a script in turn; each cut has several outcomes.
fn cut_everywhere(script_seed: u64, steps: usize, outcomes: u64) {
    let steps = script(script_seed, steps);
    let whole = SimDisk::new();
    let reached = run_on(&whole, &steps);
    assert!(reached.failure.is_none(), "{:?}", reached.failure);
    // A checkpoint in the background does not always come at the same time: a few more.
    for cut in 0..whole.count(On::Changes) + 5 {
        let disk = SimDisk::new();
        disk.inject(Fault::PowerOff, On::Changes, cut);
        let reached = run_on(&disk, &steps);
        for outcome in 0..outcomes {
            let context = format!("script {script_seed}, cut {cut}, outcome {outcome}");
            let seed = cut * outcomes + outcome;
            let after = disk.power_cut(seed);
            let state = reopened(&after, &reached.allowed(), &context);
            if outcome == 0 {
                goes_on(&after, state, seed, &context);
            }
        }
    }
}

#[test]
fn a_power_cut_never_leaves_half_a_block() {
    for script_seed in 0..4 {
        cut_everywhere(script_seed, 40, 4);
    }
}

#[test]
fn a_power_cut_while_opening_changes_nothing() {
    for script_seed in 10..14 {
        let steps = script(script_seed, 25);
        let whole = SimDisk::new();
        run_on(&whole, &steps);
        for cut in (script_seed % 3..whole.count(On::Changes)).step_by(3) {
            let disk = SimDisk::new();
            disk.inject(Fault::PowerOff, On::Changes, cut);
            let reached = run_on(&disk, &steps);
            let context = format!("script {script_seed}, cut {cut}");
            let mut disk = disk.power_cut(cut);
            // The state that was found once is the one that is found ever after.
            let state = reopened(&disk.power_cut(0), &reached.allowed(), &context);
            for second in 0..8 {
                disk.inject(Fault::PowerOff, On::Changes, second);
                drop(open(&disk));
                disk = disk.power_cut(cut + second);
                let context = format!("{context}, cut {second} while opening");
                reopened(&disk.power_cut(0), &[state], &context);
            }
        }
    }
}

#[test]
fn closing_without_a_cut_keeps_everything() {
    for script_seed in 20..60 {
        let disk = SimDisk::new();
        let reached = run_on(&disk, &script(script_seed, 40));
        assert!(reached.failure.is_none(), "{:?}", reached.failure);
        let context = format!("script {script_seed}");
        reopened(
            &disk.power_cut(script_seed),
            &[&reached.acknowledged],
            &context,
        );
        reopened(&disk, &[&reached.acknowledged], &context);
        goes_on(&disk, &reached.acknowledged, script_seed, &context);
    }
}
