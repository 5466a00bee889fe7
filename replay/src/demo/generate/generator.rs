//! The generator: what it knows of its chain, and how a block comes about.

use super::{
    BlockKind, GenerateError, GeneratedBlock, GeneratedTx, Profile, Span, Token, Vault,
    popularity::Popularity,
    senders::{SenderIndex, Senders},
    setup::{self, SetupStep},
};
use alloy_primitives::{Address, Bytes, U256};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use thinstate_formats::BlockNumber;

/// Block producers; each block draws one.
const BENEFICIARIES: usize = 8;

/// Makes the blocks of a profile, one at a time.
///
/// After an error, and after the last block, there are no more.
#[derive(Debug)]
pub struct BlockGenerator {
    pub(super) profile: Profile,
    pub(super) rng: ChaCha8Rng,
    pub(super) senders: Senders,
    /// Receivers of plain transfers.
    pub(super) accounts: Vec<Address>,
    pub(super) account_popularity: Popularity,
    pub(super) tokens: Vec<Token>,
    pub(super) token_popularity: Popularity,
    /// Set by the first transaction of the chain.
    pub(super) factory: Option<Address>,
    /// Those of the setup come first and stay.
    pub(super) vaults: Vec<Vault>,
    pub(super) vault_popularity: Popularity,
    pub(super) next_salt: u64,
    pub(super) setup: VecDeque<SetupStep>,
    /// The block in the making, and its transactions so far.
    pub(super) number: BlockNumber,
    pub(super) txs: Vec<GeneratedTx>,
    beneficiaries: Vec<Address>,
    load_left: u64,
}

/// A transaction before it has a sender.
pub(super) struct Call {
    pub(super) to: Option<Address>,
    pub(super) value: U256,
    pub(super) data: Bytes,
    pub(super) gas_limit: u64,
}

impl Call {
    /// A creation with `init` code.
    pub(super) const fn create(init: Bytes, gas_limit: u64) -> Self {
        Self {
            to: None,
            value: U256::ZERO,
            data: init,
            gas_limit,
        }
    }

    /// A call of a contract, without value.
    pub(super) const fn contract(to: Address, data: Bytes, gas_limit: u64) -> Self {
        Self {
            to: Some(to),
            value: U256::ZERO,
            data,
            gas_limit,
        }
    }
}

impl BlockGenerator {
    /// A chain that starts from `funded`: externally owned accounts, nonce 0, with their balances. Their order does not matter.
    pub fn new(profile: Profile, funded: Vec<(Address, U256)>) -> Result<Self, GenerateError> {
        let mut rng = ChaCha8Rng::seed_from_u64(profile.seed);
        let senders = Senders::new(funded, profile.popularity.senders);
        let setup = setup::steps(&profile.setup, senders.len(), &mut rng)?;
        let accounts: Vec<_> = senders.addresses().collect();
        Ok(Self {
            account_popularity: Popularity::of(profile.popularity.accounts, accounts.len()),
            token_popularity: Popularity::new(profile.popularity.tokens),
            beneficiaries: (0..BENEFICIARIES)
                .map(|_| fresh_address(&mut rng))
                .collect(),
            load_left: profile.blocks,
            number: BlockNumber(1),
            accounts,
            tokens: Vec::new(),
            factory: None,
            vaults: Vec::new(),
            vault_popularity: Popularity::new(profile.popularity.vaults),
            next_salt: 0,
            setup,
            txs: Vec::new(),
            senders,
            rng,
            profile,
        })
    }

    /// The tokens as they are after the last block.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The vaults that exist after the last block.
    pub fn vaults(&self) -> &[Vault] {
        &self.vaults
    }

    fn make_block(&mut self, kind: BlockKind) -> Result<GeneratedBlock, GenerateError> {
        match kind {
            BlockKind::Setup => self.fill_setup_block()?,
            BlockKind::Load => self.fill_load_block()?,
        }
        let chain = &self.profile.chain;
        let block = GeneratedBlock {
            number: self.number,
            kind,
            timestamp: chain.first_timestamp + chain.interval_s * (self.number.0 - 1),
            beneficiary: self.beneficiaries[self.rng.random_range(0..BENEFICIARIES)],
            gas_limit: chain.gas_limit,
            txs: std::mem::take(&mut self.txs),
        };
        self.number = self
            .number
            .next()
            .expect("a profile's blocks are far fewer than 2^64");
        Ok(block)
    }

    /// Sends from whoever is drawn and can pay.
    pub(super) fn send(&mut self, call: Call) -> Result<&GeneratedTx, GenerateError> {
        let cost = self.cost(&call);
        let from = self
            .senders
            .draw(cost, &mut self.rng)
            .ok_or_else(|| self.out_of_funds(cost))?;
        Ok(self.send_from(from, call))
    }

    /// Sends from `from`, who can pay.
    pub(super) fn send_from(&mut self, from: SenderIndex, call: Call) -> &GeneratedTx {
        let nonce = self.senders.charge(from, self.cost(&call));
        let tx = GeneratedTx {
            from: self.senders.address(from),
            nonce,
            to: call.to,
            value: call.value,
            data: call.data,
            gas_limit: call.gas_limit,
            gas_price: self.profile.chain.gas_price_wei.into(),
        };
        self.txs.push(tx);
        self.txs.last().expect("one was just added")
    }

    /// What a transaction costs its sender at most.
    pub(super) fn cost(&self, call: &Call) -> U256 {
        call.value + U256::from(call.gas_limit) * U256::from(self.profile.chain.gas_price_wei)
    }

    pub(super) const fn out_of_funds(&self, needed: U256) -> GenerateError {
        GenerateError::OutOfFunds {
            block: self.number,
            needed,
        }
    }

    pub(super) fn factory(&self) -> Address {
        self.factory
            .expect("the factory is made before anything that needs it")
    }

    pub(super) fn draw_span(&mut self, span: Span) -> u64 {
        self.rng.random_range(span.min..=span.max)
    }
}

impl Iterator for BlockGenerator {
    type Item = Result<GeneratedBlock, GenerateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let kind = if !self.setup.is_empty() {
            BlockKind::Setup
        } else if self.load_left > 0 {
            self.load_left -= 1;
            BlockKind::Load
        } else {
            return None;
        };
        let block = self.make_block(kind);
        if block.is_err() {
            self.setup.clear();
            self.load_left = 0;
        }
        Some(block)
    }
}

/// An address that nobody has had: 160 random bits do not repeat.
pub(super) fn fresh_address(rng: &mut ChaCha8Rng) -> Address {
    Address::from(rng.random::<[u8; 20]>())
}
