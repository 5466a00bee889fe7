//! One slot of time with a thousand times mainnet's gas, and what mainnet's mix would put into it.

use crate::{amplify::balanced, generate::Generator, load::BlockLoad};

/// The gas multiple.
pub(super) const MULTIPLE: u32 = 1_000;

/// What one slot of time holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Held {
    pub(super) txs: f64,
    pub(super) accounts: f64,
    pub(super) slots_written: f64,
    pub(super) slots_read: f64,
}

/// A slot of each method that spans blocks enough to have their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Thousandfold {
    /// 1,000 blocks.
    pub(super) merged: Held,
    /// 25 copies of 40 blocks.
    pub(super) mixed: Held,
}

impl Thousandfold {
    /// Draws both.
    pub(super) fn draw(generator: &mut Generator) -> Self {
        let copies = balanced(MULTIPLE).unwrap_or(1);
        Self {
            merged: Held::of(&generator.next_merged(MULTIPLE)),
            mixed: Held::of(&generator.next_mixed(MULTIPLE / copies, copies)),
        }
    }
}

impl Held {
    fn of(load: &BlockLoad) -> Self {
        let written = load.slots_written().count();
        Self {
            txs: load.tx_count as f64,
            accounts: load.accounts.len() as f64,
            slots_written: written as f64,
            slots_read: (load.slots.len() - written) as f64,
        }
    }
}
