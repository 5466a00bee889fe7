//! A profile: how many blocks, what is in them, and how unevenly.
//!
//! Read from TOML; every key has to be there and no other. `data/profiles/demo.toml` is one, with the sources of its numbers.

use super::{ProfileError, gas, setup::CONTRACT_GAS};
use serde::Deserialize;
use std::{fs, path::Path};

/// The limit on code is 24,576 bytes (EIP-170); this leaves room for what a note's code begins with.
const CODE_BYTES_MAX: u64 = 24_000;
/// Bounds that keep a generated transaction reasonable; init code may have 49,152 bytes (EIP-3860).
const SLOTS_MAX: u64 = 600;
const COUNT_MAX: u64 = 1_000_000;
const BLOCKS_MAX: u64 = 1_000_000_000;
/// The year 9999; with the bounds above, no timestamp overflows.
const TIMESTAMP_MAX: u64 = 253_402_300_799;
const EXPONENT_MAX: f64 = 4.0;

/// What a generated chain is made of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The seed of all draws.
    pub seed: u64,
    /// The number of blocks after those of the setup.
    pub blocks: u64,
    /// The chain's parameters.
    pub chain: Chain,
    /// What is there before the first block that counts.
    pub setup: Setup,
    /// Transactions of one block, by kind.
    pub transactions: Transactions,
    /// How often something is so rather than otherwise.
    pub shares: Shares,
    /// How large things are.
    pub sizes: Sizes,
    /// How uneven the draws are.
    pub popularity: PopularityExponents,
}

/// The chain's parameters.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// The timestamp of block 1, in seconds since 1970.
    pub first_timestamp: u64,
    /// Seconds between two blocks.
    pub interval_s: u64,
    /// The gas of a block.
    pub gas_limit: u64,
    /// Wei for a unit of gas.
    pub gas_price_wei: u64,
}

/// What the setup makes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// Token contracts.
    pub tokens: u64,
    /// Holders of each token who can also send it.
    pub holders_per_token: u64,
    /// Vaults that are hubs: the most popular ones, never wiped.
    pub vaults: u64,
    /// Slots of each of these.
    pub vault_slots: Span,
}

/// Transactions of one block, by kind.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transactions {
    /// Value from one account to another, or to a new one.
    pub plain_transfers: u64,
    /// Nothing sent to an absent account, which must stay absent (EIP-161).
    pub empty_touches: u64,
    /// A token from one holder to another, or to a new one.
    pub token_transfers: u64,
    /// A token minted to a new holder.
    pub token_mints: u64,
    /// A contract with slots and code of its own.
    pub contract_creations: u64,
    /// A vault, made by the factory.
    pub vault_creations: u64,
    /// A vault destroyed with all its storage.
    pub vault_wipes: u64,
    /// Slots of a vault read and written.
    pub vault_batches: u64,
}

/// How often something is so rather than otherwise, 0 to 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// Plain transfers that go to a new account.
    pub new_account: f64,
    /// Token transfers that go to a new holder.
    pub new_holder: f64,
    /// Token transfers that move the whole balance, which deletes its slot.
    pub sweep: f64,
    /// Wiped vaults that are made again, at the same address, by the next transaction.
    pub rebirth: f64,
    /// Slots read in batches that are absent.
    pub read_absent: f64,
    /// Writes in batches that create a slot.
    pub write_create: f64,
    /// Writes in batches that delete a slot; the rest change one.
    pub write_delete: f64,
}

/// How large things are.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// Slots that a created contract's constructor writes.
    pub creation_slots: Span,
    /// Bytes of a created contract's code.
    pub creation_code_bytes: Span,
    /// Slots of a vault made after the setup.
    pub vault_slots: Span,
    /// Slots that a batch reads.
    pub batch_reads: Span,
    /// Slots that a batch writes.
    pub batch_writes: Span,
}

/// Zipf exponents: 0 is even, 1 gives the tenth a tenth of the first's share.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopularityExponents {
    /// Of the senders of all but token transfers.
    pub senders: f64,
    /// Of the receivers of plain transfers.
    pub accounts: f64,
    /// Of the tokens.
    pub tokens: f64,
    /// Of a token's senders and receivers.
    pub holders: f64,
    /// Of the vaults that batches read and write.
    pub vaults: f64,
}

/// A least and a most, both included; `[least, most]` in TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "[u64; 2]")]
pub struct Span {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
}

impl From<[u64; 2]> for Span {
    fn from([min, max]: [u64; 2]) -> Self {
        Self { min, max }
    }
}

impl Transactions {
    fn by_key(&self) -> [(&'static str, u64); 8] {
        [
            ("transactions.plain_transfers", self.plain_transfers),
            ("transactions.empty_touches", self.empty_touches),
            ("transactions.token_transfers", self.token_transfers),
            ("transactions.token_mints", self.token_mints),
            ("transactions.contract_creations", self.contract_creations),
            ("transactions.vault_creations", self.vault_creations),
            ("transactions.vault_wipes", self.vault_wipes),
            ("transactions.vault_batches", self.vault_batches),
        ]
    }
}

impl Profile {
    /// Reads and checks a profile's file.
    pub fn load(path: &Path) -> Result<Self, ProfileError> {
        let text = fs::read_to_string(path).map_err(|source| ProfileError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Reads and checks a profile.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text)?;
        profile.check_numbers()?;
        profile.check_shares()?;
        profile.check_gas()?;
        Ok(profile)
    }

    /// The gas that the transactions of one block are allowed at most.
    pub fn block_gas_max(&self) -> u64 {
        let (count, size) = (&self.transactions, &self.sizes);
        let (slots, code_bytes) = (size.creation_slots.max, size.creation_code_bytes.max);
        let vault = gas::vault_creation(size.vault_slots.max);
        (count.plain_transfers + count.empty_touches) * gas::PLAIN
            // A token transfer whose sender holds nothing becomes a mint.
            + (count.token_transfers + count.token_mints) * gas::TOKEN_MINT
            + count.contract_creations * gas::creation(gas::note_init_bytes(slots, code_bytes), slots, code_bytes)
            + count.vault_creations * vault
            // A wipe may be followed by a rebirth.
            + count.vault_wipes * (gas::VAULT_WIPE + vault)
            + count.vault_batches * gas::batch(size.batch_reads.max, size.batch_writes.max)
    }

    fn check_numbers(&self) -> Result<(), ProfileError> {
        let (setup, count, size) = (&self.setup, &self.transactions, &self.sizes);
        let uses_tokens = u64::from(count.token_transfers + count.token_mints > 0);
        within("blocks", self.blocks, 0, BLOCKS_MAX)?;
        within(
            "chain.first_timestamp",
            self.chain.first_timestamp,
            0,
            TIMESTAMP_MAX,
        )?;
        within("chain.interval_s", self.chain.interval_s, 1, COUNT_MAX)?;
        for (key, got) in count.by_key() {
            within(key, got, 0, COUNT_MAX)?;
        }
        within("setup.tokens", setup.tokens, uses_tokens, COUNT_MAX)?;
        within(
            "setup.holders_per_token",
            setup.holders_per_token,
            uses_tokens,
            COUNT_MAX,
        )?;
        let uses_vaults = u64::from(count.vault_wipes + count.vault_batches > 0);
        within("setup.vaults", setup.vaults, uses_vaults, COUNT_MAX)?;
        within_span("setup.vault_slots", setup.vault_slots, SLOTS_MAX)?;
        within_span("sizes.creation_slots", size.creation_slots, SLOTS_MAX)?;
        within_span(
            "sizes.creation_code_bytes",
            size.creation_code_bytes,
            CODE_BYTES_MAX,
        )?;
        within_span("sizes.vault_slots", size.vault_slots, SLOTS_MAX)?;
        within_span("sizes.batch_reads", size.batch_reads, SLOTS_MAX)?;
        within_span("sizes.batch_writes", size.batch_writes, SLOTS_MAX)
    }

    fn check_shares(&self) -> Result<(), ProfileError> {
        let (shares, popularity) = (&self.shares, &self.popularity);
        for (key, got) in [
            ("new_account", shares.new_account),
            ("new_holder", shares.new_holder),
            ("sweep", shares.sweep),
            ("rebirth", shares.rebirth),
            ("read_absent", shares.read_absent),
            ("write_create", shares.write_create),
            ("write_delete", shares.write_delete),
            (
                "write_create + write_delete",
                shares.write_create + shares.write_delete,
            ),
        ] {
            if !(0.0..=1.0).contains(&got) {
                return Err(ProfileError::Share { key, got });
            }
        }
        for (key, got) in [
            ("senders", popularity.senders),
            ("accounts", popularity.accounts),
            ("tokens", popularity.tokens),
            ("holders", popularity.holders),
            ("vaults", popularity.vaults),
        ] {
            if !(0.0..=EXPONENT_MAX).contains(&got) {
                return Err(ProfileError::Exponent { key, got });
            }
        }
        Ok(())
    }

    fn check_gas(&self) -> Result<(), ProfileError> {
        let setup_step = CONTRACT_GAS
            .max(gas::TOKEN_MINT)
            .max(gas::vault_creation(self.setup.vault_slots.max));
        let (needed, limit) = (self.block_gas_max().max(setup_step), self.chain.gas_limit);
        if needed > limit {
            Err(ProfileError::GasLimit { needed, limit })
        } else {
            Ok(())
        }
    }
}

fn within(key: &'static str, got: u64, min: u64, max: u64) -> Result<(), ProfileError> {
    if (min..=max).contains(&got) {
        Ok(())
    } else {
        Err(ProfileError::Range { key, got, min, max })
    }
}

fn within_span(key: &'static str, span: Span, max: u64) -> Result<(), ProfileError> {
    within(key, span.min, 0, span.max)?;
    within(key, span.max, 0, max)
}
