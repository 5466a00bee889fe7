//! The first blocks: the factory, the tokens, their first holders, the first vaults.

use super::{
    BlockGenerator, GenerateError, Setup, Token,
    contracts::{factory_init, token},
    gas,
    generator::Call,
    load::mint_amount,
    senders::SenderIndex,
};
use alloy_primitives::{Address, Bytes};
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// Bound of a contract's code and init code here; the token's and the factory's are some 300 bytes.
const CODE_BYTES_MAX: u64 = 1_024;

/// The gas limit of a token's or the factory's creation.
pub(super) const CONTRACT_GAS: u64 = gas::creation(CODE_BYTES_MAX, 0, CODE_BYTES_MAX);

/// One transaction of the setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetupStep {
    /// The factory is created.
    Factory,
    /// A token is created.
    Token,
    /// A token is minted to one of its first holders.
    Holder { token: usize, sender: SenderIndex },
    /// A vault is created.
    Vault,
}

/// All steps, in an order in which each finds what it needs.
pub(super) fn steps(
    setup: &Setup,
    senders: usize,
    rng: &mut ChaCha8Rng,
) -> Result<VecDeque<SetupStep>, GenerateError> {
    let expected = usize::try_from(setup.holders_per_token)
        .unwrap_or(usize::MAX)
        .max(1);
    if senders < expected {
        return Err(GenerateError::TooFewSenders {
            got: senders,
            expected,
        });
    }
    let mut steps = VecDeque::from([SetupStep::Factory]);
    steps.extend((0..setup.tokens).map(|_| SetupStep::Token));
    for token in (0..setup.tokens).filter_map(|token| usize::try_from(token).ok()) {
        let holders = if setup.holders_per_token == 0 {
            0
        } else {
            expected
        };
        let drawn = index::sample(rng, senders, holders).into_iter();
        steps.extend(drawn.map(|sender| SetupStep::Holder {
            token,
            sender: SenderIndex(sender),
        }));
    }
    steps.extend((0..setup.vaults).map(|_| SetupStep::Vault));
    Ok(steps)
}

impl BlockGenerator {
    /// Takes as many steps as the block has gas for, at least one.
    pub(super) fn fill_setup_block(&mut self) -> Result<(), GenerateError> {
        let mut gas_left = self.profile.chain.gas_limit;
        while let Some(&step) = self.setup.front() {
            let Some(left) = gas_left.checked_sub(self.step_gas(step)) else {
                break;
            };
            gas_left = left;
            self.setup.pop_front();
            self.take_step(step)?;
        }
        Ok(())
    }

    /// At least the gas limit of the step's transaction; no more than a block's, which [`super::Profile::parse`] has checked.
    const fn step_gas(&self, step: SetupStep) -> u64 {
        match step {
            SetupStep::Factory | SetupStep::Token => CONTRACT_GAS,
            SetupStep::Holder { .. } => gas::TOKEN_MINT,
            SetupStep::Vault => gas::vault_creation(self.profile.setup.vault_slots.max),
        }
    }

    fn take_step(&mut self, step: SetupStep) -> Result<(), GenerateError> {
        match step {
            SetupStep::Factory => self.factory = Some(self.deploy(factory_init())?),
            SetupStep::Token => {
                let address = self.deploy(token::token_init())?;
                self.tokens
                    .push(Token::new(address, self.profile.popularity.holders));
                self.token_popularity.push();
            }
            SetupStep::Holder { token, sender } => {
                let (address, amount) = (self.senders.address(sender), mint_amount(&mut self.rng));
                self.mint(token, address, amount)?;
                self.tokens[token].add_active(sender, address, amount);
            }
            SetupStep::Vault => self.create_vault(self.profile.setup.vault_slots)?,
        }
        Ok(())
    }

    /// Creates a contract and returns its address.
    fn deploy(&mut self, init: Bytes) -> Result<Address, GenerateError> {
        let tx = self.send(Call::create(init, CONTRACT_GAS))?;
        Ok(tx.from.create(tx.nonce))
    }
}
