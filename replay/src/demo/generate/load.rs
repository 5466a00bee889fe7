//! The blocks that count: one method for each kind of transaction, each keeping the model in step with what it sends.

use super::{
    BlockGenerator, GenerateError, Span, Transactions, Vault,
    contracts::{create_call, note_init, token, vault},
    gas,
    generator::{Call, fresh_address},
    senders::SenderIndex,
};
use alloy_primitives::{Address, Bytes, U256};
use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// The most that a plain transfer sends, in wei: a thousandth of an ether.
const VALUE_MAX_WEI: u64 = 1_000_000_000_000_000;
/// What a mint mints: one to a thousand units of a token with 18 decimals.
const MINT_MIN: u128 = 1_000_000_000_000_000_000;
const MINT_MAX: u128 = 1_000 * MINT_MIN;
/// A transfer that is not a sweep sends at most this part of the balance.
const TRANSFER_PART: u128 = 100;
/// Draws before a holder with enough funds is searched for instead.
const DRAWS: usize = 16;
/// Values of slots have up to 12 bytes, which is mainnet's mean.
const VALUE_BITS: usize = 96;

/// A kind of transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TxClass {
    PlainTransfer,
    EmptyTouch,
    TokenTransfer,
    TokenMint,
    ContractCreation,
    VaultCreation,
    VaultWipe,
    VaultBatch,
}

impl BlockGenerator {
    /// All transactions of a block, in a drawn order.
    pub(super) fn fill_load_block(&mut self) -> Result<(), GenerateError> {
        let mut classes: Vec<_> = classes(&self.profile.transactions).collect();
        classes.shuffle(&mut self.rng);
        classes.into_iter().try_for_each(|class| self.add(class))
    }

    fn add(&mut self, class: TxClass) -> Result<(), GenerateError> {
        match class {
            TxClass::PlainTransfer => self.plain_transfer(),
            TxClass::EmptyTouch => self.empty_touch(),
            TxClass::TokenTransfer => self.token_transfer(),
            TxClass::TokenMint => self.token_mint(),
            TxClass::ContractCreation => self.create_note(),
            TxClass::VaultCreation => self.create_small_vault(),
            TxClass::VaultWipe => self.wipe_vault(),
            TxClass::VaultBatch => self.vault_batch(),
        }
    }

    fn plain_transfer(&mut self) -> Result<(), GenerateError> {
        let known = if self.rng.random_bool(self.profile.shares.new_account) {
            None
        } else {
            self.account_popularity
                .sample(&mut self.rng)
                .map(|index| self.accounts[index])
        };
        let to = known.unwrap_or_else(|| self.open_account());
        let value = U256::from(self.rng.random_range(1..=VALUE_MAX_WEI));
        self.send(Call {
            to: Some(to),
            value,
            data: Bytes::new(),
            gas_limit: gas::PLAIN,
        })?;
        Ok(())
    }

    fn open_account(&mut self) -> Address {
        let address = fresh_address(&mut self.rng);
        self.accounts.push(address);
        self.account_popularity.push();
        address
    }

    fn empty_touch(&mut self) -> Result<(), GenerateError> {
        let to = fresh_address(&mut self.rng);
        self.send(Call::contract(to, Bytes::new(), gas::PLAIN))?;
        Ok(())
    }

    fn token_transfer(&mut self) -> Result<(), GenerateError> {
        let index = self.draw_token();
        let (from, sender) = self.draw_token_sender(index)?;
        let (holder, balance) = self.tokens[index].holder(from);
        if balance == 0 {
            // Who has nothing to send is given something, so that the holders who can send do not run dry.
            let amount = mint_amount(&mut self.rng);
            self.tokens[index].credit(from, amount);
            return self.mint(index, holder, amount);
        }
        let sweep = self.rng.random_bool(self.profile.shares.sweep);
        let amount = if sweep {
            balance
        } else {
            self.rng.random_range(1..=(balance / TRANSFER_PART).max(1))
        };
        self.tokens[index].debit(from, amount);
        let to = self.credit_somebody(index, amount);
        let data = token::call(token::TRANSFER, to, amount);
        self.send_from(
            sender,
            Call::contract(self.tokens[index].address(), data, gas::TOKEN_TRANSFER),
        );
        Ok(())
    }

    /// Credits `amount` to a new holder or a known one, who is returned.
    fn credit_somebody(&mut self, token: usize, amount: u128) -> Address {
        let token = &mut self.tokens[token];
        let known = if self.rng.random_bool(self.profile.shares.new_holder) {
            None
        } else {
            token.draw_holder(&mut self.rng)
        };
        let Some(index) = known else {
            let address = fresh_address(&mut self.rng);
            token.add_holder(address, amount);
            return address;
        };
        token.credit(index, amount);
        token.holder(index).0
    }

    fn token_mint(&mut self) -> Result<(), GenerateError> {
        let (index, to, amount) = (
            self.draw_token(),
            fresh_address(&mut self.rng),
            mint_amount(&mut self.rng),
        );
        self.tokens[index].add_holder(to, amount);
        self.mint(index, to, amount)
    }

    /// Sends a mint; the model is the caller's affair.
    pub(super) fn mint(
        &mut self,
        token: usize,
        to: Address,
        amount: u128,
    ) -> Result<(), GenerateError> {
        let data = token::call(token::MINT, to, amount);
        self.send(Call::contract(
            self.tokens[token].address(),
            data,
            gas::TOKEN_MINT,
        ))?;
        Ok(())
    }

    fn draw_token(&mut self) -> usize {
        self.token_popularity
            .sample(&mut self.rng)
            .expect("a profile with token transactions has a token")
    }

    /// Draws a holder of a token who can send it and pay for that.
    fn draw_token_sender(&mut self, token: usize) -> Result<(usize, SenderIndex), GenerateError> {
        let cost = U256::from(gas::TOKEN_TRANSFER) * U256::from(self.profile.chain.gas_price_wei);
        let (token, senders) = (&self.tokens[token], &self.senders);
        let can_pay = |(_, sender): &(usize, SenderIndex)| senders.can_pay(*sender, cost);
        let drawn = (0..DRAWS).find_map(|_| token.draw_active(&mut self.rng).filter(can_pay));
        drawn
            .or_else(|| token.active().find(can_pay))
            .ok_or_else(|| self.out_of_funds(cost))
    }

    fn create_note(&mut self) -> Result<(), GenerateError> {
        let slots = self.draw_span(self.profile.sizes.creation_slots);
        let code_bytes = self.draw_span(self.profile.sizes.creation_code_bytes);
        let values: Vec<_> = (0..slots).map(|_| slot_value(&mut self.rng)).collect();
        let tail: Vec<u8> = (1..code_bytes).map(|_| self.rng.random()).collect();
        let init = note_init(&values, &tail);
        let gas_limit = gas::creation(
            gas::note_init_bytes(slots, code_bytes),
            slots,
            code_bytes.max(1),
        );
        self.send(Call::create(init, gas_limit))?;
        Ok(())
    }

    fn create_small_vault(&mut self) -> Result<(), GenerateError> {
        self.create_vault(self.profile.sizes.vault_slots)
    }

    pub(super) fn create_vault(&mut self, slots: Span) -> Result<(), GenerateError> {
        let slots = self.draw_span(slots);
        let salt = self.next_salt;
        self.next_salt += 1;
        self.create_vault_with(salt, slots)
    }

    fn create_vault_with(&mut self, salt: u64, slots: u64) -> Result<(), GenerateError> {
        let factory = self.factory();
        self.send(Call::contract(
            factory,
            create_call(salt, slots),
            gas::vault_creation(slots),
        ))?;
        self.vaults
            .push(Vault::created(factory, salt, slots, self.number.0));
        if self.vault_popularity.len() < self.vaults.len() {
            self.vault_popularity.push();
        }
        Ok(())
    }

    /// Destroys a vault that is no hub, and may make it again; where there is none, makes one instead.
    fn wipe_vault(&mut self) -> Result<(), GenerateError> {
        let hubs = usize::try_from(self.profile.setup.vaults).expect("the hubs are in memory");
        if self.vaults.len() == hubs {
            return self.create_small_vault();
        }
        let index = self.rng.random_range(hubs..self.vaults.len());
        let wiped = self.vaults.swap_remove(index);
        self.send(Call::contract(
            wiped.address(),
            Bytes::new(),
            gas::VAULT_WIPE,
        ))?;
        if self.rng.random_bool(self.profile.shares.rebirth) {
            self.create_vault_with(wiped.salt(), wiped.initial_slots())?;
        }
        Ok(())
    }

    /// Reads and writes slots of a vault.
    fn vault_batch(&mut self) -> Result<(), GenerateError> {
        let index = self.draw_vault();
        let reads = self.draw_span(self.profile.sizes.batch_reads);
        let writes = self.draw_span(self.profile.sizes.batch_writes);
        let gas_limit = gas::batch(reads, writes);
        let reads: Vec<_> = (0..reads).map(|_| self.draw_read(index)).collect();
        let writes: Vec<_> = (0..writes).map(|_| self.draw_write(index)).collect();
        let data = vault::batch_call(&reads, &writes);
        self.send(Call::contract(
            self.vaults[index].address(),
            data,
            gas_limit,
        ))?;
        Ok(())
    }

    fn draw_vault(&mut self) -> usize {
        let drawn = self
            .vault_popularity
            .sample_among(self.vaults.len(), &mut self.rng);
        drawn.expect("a profile that uses vaults has hubs")
    }

    fn draw_read(&mut self, vault: usize) -> u64 {
        let vault = &self.vaults[vault];
        let absent = self.rng.random_bool(self.profile.shares.read_absent);
        let present = if absent {
            None
        } else {
            vault.draw_key(&mut self.rng)
        };
        present.unwrap_or_else(|| vault.absent_key(&mut self.rng))
    }

    /// Draws what to write and writes it to the model: the key and the new value. What has no slot to work on creates one.
    fn draw_write(&mut self, vault: usize) -> (u64, U256) {
        let (shares, vault) = (&self.profile.shares, &mut self.vaults[vault]);
        let drawn: f64 = self.rng.random();
        let value = slot_value(&mut self.rng);
        if drawn < shares.write_delete
            && let Some(key) = vault.delete(&mut self.rng)
        {
            return (key, U256::ZERO);
        }
        if drawn >= shares.write_delete + shares.write_create
            && let Some(key) = vault.draw_key(&mut self.rng)
        {
            vault.update(key, value);
            return (key, value);
        }
        (vault.create(value), value)
    }
}

/// The classes of a block's transactions, each as often as it occurs.
fn classes(count: &Transactions) -> impl Iterator<Item = TxClass> {
    [
        (TxClass::PlainTransfer, count.plain_transfers),
        (TxClass::EmptyTouch, count.empty_touches),
        (TxClass::TokenTransfer, count.token_transfers),
        (TxClass::TokenMint, count.token_mints),
        (TxClass::ContractCreation, count.contract_creations),
        (TxClass::VaultCreation, count.vault_creations),
        (TxClass::VaultWipe, count.vault_wipes),
        (TxClass::VaultBatch, count.vault_batches),
    ]
    .into_iter()
    .flat_map(|(class, count)| (0..count).map(move |_| class))
}

/// Draws what a mint mints.
pub(super) fn mint_amount(rng: &mut ChaCha8Rng) -> u128 {
    rng.random_range(MINT_MIN..=MINT_MAX)
}

/// Draws a slot's value, which is not zero.
fn slot_value(rng: &mut ChaCha8Rng) -> U256 {
    U256::from(rng.random_range(1..1_u128 << VALUE_BITS))
}
