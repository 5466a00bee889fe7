//! Which slots a block touches.
//!
//! Most of what a block touches lies in hot sets (`hot_set`); what else it updates was written so many days ago
//! (`windows`); the rest is drawn from hubs. `habit` is what follows from the profile, once; `draw` is a block, and
//! `pick` one slot of it; `copies` is what more groups of users do.

mod copies;
mod draw;
mod habit;
mod hot_set;
mod pick;
mod windows;

pub(super) use habit::SlotHabit;
pub(super) use windows::{ends, window, windows};

/// Draws after which a slot that fits is given up.
const TRIES: usize = 64;
/// Hot slots that were emptied stay so until there are so many times more of them than a block needs.
const EMPTY: usize = 4;
