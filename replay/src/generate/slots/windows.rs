//! Windows of days: how long ago what a block updates was written.

use crate::profile::{DAYS, Locality};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Updates outside of a hot set, by window, so that with those of the set the locality comes out: `fresh` is
/// the share of the set's updates within each window.
pub(in crate::generate) fn windows(
    locality: &Locality,
    hot: f64,
    fresh: [f64; DAYS.len()],
) -> [f64; DAYS.len() + 1] {
    let mut windows = [0.0; DAYS.len() + 1];
    let (mut before, mut fresh_before) = (0.0, 0.0);
    for at in 0..DAYS.len() {
        let wanted = locality.0[at] - before;
        let by_set = hot * (fresh[at] - fresh_before);
        windows[at] = (wanted - by_set).max(0.0);
        (before, fresh_before) = (locality.0[at], fresh[at]);
    }
    windows[DAYS.len()] = (1.0 - before).max(0.0);
    windows
}

/// Draws a window by weight.
pub(in crate::generate) fn window(windows: &[f64; DAYS.len() + 1], rng: &mut ChaCha8Rng) -> usize {
    let mut at = rng.random::<f64>() * windows.iter().sum::<f64>();
    let found = windows.iter().position(|weight| {
        let is_it = at < *weight;
        at -= weight;
        is_it
    });
    found.unwrap_or(0)
}

/// The ends of a window in days.
pub(in crate::generate) fn ends(window: usize) -> (f64, f64) {
    let from = window.checked_sub(1).map_or(0.0, |at| f64::from(DAYS[at]));
    let to = DAYS
        .get(window)
        .map_or(f64::INFINITY, |days| f64::from(*days));
    (from, to)
}
