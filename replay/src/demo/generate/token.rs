//! What the generator knows of a token: its holders and what each holds.

use super::{popularity::Popularity, senders::SenderIndex};
use alloy_primitives::Address;
use rand_chacha::ChaCha8Rng;

/// A token contract's model. Holders who can send come first, in the order of their popularity.
#[derive(Debug)]
pub struct Token {
    address: Address,
    holders: Vec<Holder>,
    /// The senders among the holders, by place.
    active: Vec<SenderIndex>,
    popularity: Popularity,
}

#[derive(Debug)]
struct Holder {
    address: Address,
    balance: u128,
}

impl Token {
    pub(super) const fn new(address: Address, exponent: f64) -> Self {
        Self {
            address,
            holders: Vec::new(),
            active: Vec::new(),
            popularity: Popularity::new(exponent),
        }
    }

    /// The contract.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// All who ever held the token, with what they hold now.
    pub fn balances(&self) -> impl Iterator<Item = (Address, u128)> {
        self.holders
            .iter()
            .map(|holder| (holder.address, holder.balance))
    }

    /// Adds a holder who cannot send.
    pub(super) fn add_holder(&mut self, address: Address, balance: u128) {
        self.holders.push(Holder { address, balance });
        self.popularity.push();
    }

    /// Adds a holder who can send; these come before all others.
    pub(super) fn add_active(&mut self, sender: SenderIndex, address: Address, balance: u128) {
        assert_eq!(
            self.active.len(),
            self.holders.len(),
            "holders who can send are added first"
        );
        self.active.push(sender);
        self.add_holder(address, balance);
    }

    pub(super) fn holder(&self, index: usize) -> (Address, u128) {
        let holder = &self.holders[index];
        (holder.address, holder.balance)
    }

    /// Draws a holder who can send: the place among the holders, and the sender.
    pub(super) fn draw_active(&self, rng: &mut ChaCha8Rng) -> Option<(usize, SenderIndex)> {
        let index = self.popularity.sample_among(self.active.len(), rng)?;
        Some((index, self.active[index]))
    }

    /// All holders who can send, for when the drawn ones cannot pay.
    pub(super) fn active(&self) -> impl Iterator<Item = (usize, SenderIndex)> {
        self.active.iter().copied().enumerate()
    }

    /// Draws any holder.
    pub(super) fn draw_holder(&self, rng: &mut ChaCha8Rng) -> Option<usize> {
        self.popularity.sample(rng)
    }

    pub(super) fn credit(&mut self, index: usize, amount: u128) {
        let balance = &mut self.holders[index].balance;
        *balance = balance
            .checked_add(amount)
            .expect("the sum of all mints is far below 2^128");
    }

    pub(super) fn debit(&mut self, index: usize, amount: u128) {
        let balance = &mut self.holders[index].balance;
        *balance = balance
            .checked_sub(amount)
            .expect("no more is sent than is held");
    }
}
