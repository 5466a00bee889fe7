//! Transfers of one token: senders and nine in ten receivers among those who hold some, uniformly or by a Zipf distribution,
//! one in ten receivers new.

use crate::{Drawer, Draws};
use alloy_primitives::{Address, U256, address, keccak256};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// The token's contract.
pub const TOKEN: Address = address!("70ce000000000000000000000000000000000001");
/// What each holder has at first.
const FIRST_BALANCE: u64 = 1_000_000_000;
/// Most that one transfer moves.
const AMOUNT_MAX: u64 = 1_000;
const NEW_RECEIVERS: u32 = 10;

/// A holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// In the order of appearance, from 0.
    pub number: u32,
    /// The address.
    pub address: Address,
}

/// One transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Who pays.
    pub from: Party,
    /// Who receives; never the payer.
    pub to: Party,
    /// How much; the payer has as much at that time.
    pub amount: u64,
}

/// A holder's balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Whose.
    pub party: Party,
    /// The slot where the token's contract keeps it: an entry of the mapping at slot 0.
    pub slot: U256,
    /// How much.
    pub balance: U256,
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferBlock {
    /// In their order.
    pub transfers: Vec<Transfer>,
    /// Balances after it of all who took part, each once, by number.
    pub holdings: Vec<Holding>,
}

/// A deterministic sequence of blocks.
#[derive(Debug)]
pub struct TransferWorkload {
    random: ChaCha12Rng,
    draws: Draws,
    balances: Vec<u64>,
}

impl TransferWorkload {
    /// A workload that begins with `holders` holders.
    pub fn new(holders: u64, seed: u64) -> Self {
        let holders = u32::try_from(holders).expect("holders are numbered in 32 bits");
        Self {
            random: ChaCha12Rng::seed_from_u64(seed),
            draws: Draws::Uniform,
            balances: vec![FIRST_BALANCE; holders as usize],
        }
    }

    /// The same holders, who are drawn in another way; under Zipf's law the first ones move most.
    pub const fn drawing(mut self, draws: Draws) -> Self {
        self.draws = draws;
        self
    }

    /// How many hold some, or once did.
    pub const fn holders(&self) -> u64 {
        self.balances.len() as u64
    }

    /// Balances to begin with, at most `size` together.
    pub fn load(&self, size: u32) -> impl Iterator<Item = Vec<Holding>> + use<> {
        let holders = self.balances.len() as u32;
        (0..holders.div_ceil(size)).map(move |part| {
            let numbers = part * size..((part + 1) * size).min(holders);
            numbers.map(|n| holding(n, FIRST_BALANCE)).collect()
        })
    }

    /// The next block, of `transfers` transfers.
    pub fn block(&mut self, transfers: usize) -> TransferBlock {
        let holders = self.balances.len() as u32;
        let drawer = self.draws.among(u64::from(holders));
        let transfers: Vec<_> = (0..transfers)
            .map(|_| self.transfer(holders, &drawer))
            .collect();
        let mut touched: Vec<u32> = transfers
            .iter()
            .flat_map(|t| [t.from.number, t.to.number])
            .collect();
        touched.sort_unstable();
        touched.dedup();
        let holding = |n: u32| holding(n, self.balances[n as usize]);
        TransferBlock {
            transfers,
            holdings: touched.into_iter().map(holding).collect(),
        }
    }

    /// A transfer from one of the first `holders` holders.
    fn transfer(&mut self, holders: u32, drawer: &Drawer) -> Transfer {
        let from = loop {
            let from = drawer.index(&mut self.random) as u32;
            if self.balances[from as usize] > 0 {
                break from;
            }
        };
        let to = if self.random.random_ratio(NEW_RECEIVERS, 100) {
            self.balances.push(0);
            self.balances.len() as u32 - 1
        } else {
            self.other(from, holders, drawer)
        };
        let most = AMOUNT_MAX.min(self.balances[from as usize]);
        let amount = self.random.random_range(1..=most);
        self.balances[from as usize] -= amount;
        self.balances[to as usize] += amount;
        Transfer {
            from: party(from),
            to: party(to),
            amount,
        }
    }

    /// A receiver among the first `holders` holders who is not the sender.
    fn other(&mut self, from: u32, holders: u32, drawer: &Drawer) -> u32 {
        match drawer {
            Drawer::Uniform(_) => {
                let other = self.random.random_range(0..holders - 1);
                other + u32::from(other >= from)
            }
            Drawer::Zipf(_) => loop {
                let other = drawer.index(&mut self.random) as u32;
                if other != from {
                    break other;
                }
            },
        }
    }
}

fn party(number: u32) -> Party {
    let hash = keccak256(number.to_be_bytes());
    Party {
        number,
        address: Address::from_slice(&hash[12..]),
    }
}

fn holding(number: u32, balance: u64) -> Holding {
    let party = party(number);
    let mut entry = [0; 64];
    entry[12..32].copy_from_slice(party.address.as_slice());
    Holding {
        party,
        slot: keccak256(entry).into(),
        balance: U256::from(balance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn no_balance_differs_from_what_the_transfers_make_it() {
        for draws in [Draws::Uniform, Draws::Zipf { exponent: 0.9 }] {
            check(TransferWorkload::new(1_000, 5).drawing(draws));
        }
    }

    fn check(mut workload: TransferWorkload) {
        let mut balances: HashMap<u32, U256> = workload
            .load(300)
            .flatten()
            .map(|h| (h.party.number, h.balance))
            .collect();
        assert_eq!(balances.len(), 1_000);
        let supply: U256 = balances.values().sum();
        for _ in 0..5 {
            let block = workload.block(2_000);
            let before = balances.len();
            for t in &block.transfers {
                assert_ne!(t.from, t.to);
                let from = balances.get_mut(&t.from.number).expect("a holder");
                *from = from.checked_sub(U256::from(t.amount)).expect("covered");
                *balances.entry(t.to.number).or_default() += U256::from(t.amount);
            }
            assert!(block.holdings.is_sorted_by_key(|h| h.party.number));
            assert!(
                block
                    .holdings
                    .iter()
                    .all(|h| balances[&h.party.number] == h.balance)
            );
            assert!(
                (100..300).contains(&(balances.len() - before)),
                "one in ten is new"
            );
        }
        assert_eq!(balances.values().sum::<U256>(), supply);
    }
}
