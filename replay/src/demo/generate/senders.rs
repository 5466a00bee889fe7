//! The accounts that send transactions: what they can still spend, and their nonces.

use super::popularity::Popularity;
use alloy_primitives::{Address, U256};
use rand_chacha::ChaCha8Rng;

/// Draws before a sender with enough funds is searched for instead.
const DRAWS: usize = 16;

/// A sender's place in the list; senders are ordered by address when the chain starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SenderIndex(pub(super) usize);

#[derive(Debug)]
struct Sender {
    address: Address,
    nonce: u64,
    /// At most the true balance: what was received, and gas that was paid for and not used, are left out.
    funds: U256,
}

/// All senders.
#[derive(Debug)]
pub(super) struct Senders {
    senders: Vec<Sender>,
    popularity: Popularity,
}

impl Senders {
    pub(super) fn new(mut funded: Vec<(Address, U256)>, exponent: f64) -> Self {
        funded.sort_unstable();
        funded.dedup_by_key(|(address, _)| *address);
        let popularity = Popularity::of(exponent, funded.len());
        let senders = funded
            .into_iter()
            .map(|(address, funds)| Sender {
                address,
                nonce: 0,
                funds,
            })
            .collect();
        Self {
            senders,
            popularity,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.senders.len()
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = Address> {
        self.senders.iter().map(|sender| sender.address)
    }

    pub(super) fn address(&self, index: SenderIndex) -> Address {
        self.senders[index.0].address
    }

    /// Draws a sender who can pay `cost`; `None` if nobody can.
    pub(super) fn draw(&self, cost: U256, rng: &mut ChaCha8Rng) -> Option<SenderIndex> {
        let drawn = (0..DRAWS).find_map(|_| {
            let index = SenderIndex(self.popularity.sample(rng)?);
            self.can_pay(index, cost).then_some(index)
        });
        drawn.or_else(|| {
            (0..self.len())
                .map(SenderIndex)
                .find(|&index| self.can_pay(index, cost))
        })
    }

    pub(super) fn can_pay(&self, index: SenderIndex, cost: U256) -> bool {
        self.senders[index.0].funds >= cost
    }

    /// Takes `cost`, which the sender can pay, and returns the nonce to use.
    pub(super) fn charge(&mut self, index: SenderIndex, cost: U256) -> u64 {
        let sender = &mut self.senders[index.0];
        sender.funds = sender
            .funds
            .checked_sub(cost)
            .expect("only a sender who can pay is charged");
        sender.nonce += 1;
        sender.nonce - 1
    }
}
