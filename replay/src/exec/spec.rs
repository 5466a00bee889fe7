//! The rules of a chain: which fork a header belongs to, and the environment its transactions see.
//!
//! A header does not name its fork; number and timestamp decide, by the chain's schedule. What a
//! header does reveal is whether it was made under rules that this schedule does not have: each
//! fork since London has added fields. [`ChainSpec::fork`] therefore compares the fields that are
//! present with those that the scheduled fork asks for. A fork that adds no field (one that only
//! changes blob parameters, for instance) cannot be recognised in this way; a block of such a fork
//! fails later, in execution or in [`check_outcome`](super::check_outcome).

use alloy_consensus::Header;
use alloy_eips::{eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS, eip7840::BlobParams};
use alloy_evm::{EvmEnv, eth::spec::EthExecutorSpec};
use alloy_hardforks::{EthereumChainHardforks, EthereumHardfork, EthereumHardforks, ForkCondition};
use alloy_primitives::Address;
use thinstate_formats::BlockNumber;

/// The newest fork whose blocks can be executed and checked in full.
const NEWEST: EthereumHardfork = EthereumHardfork::Bpo5;

/// Optional fields of a header, each with the fork that brought it and whether it is present.
type Fields = [(&'static str, EthereumHardfork, bool); 8];

/// The schedule of forks of one chain, its id and its deposit contract.
#[derive(Clone, Debug)]
pub struct ChainSpec {
    chain_id: u64,
    forks: EthereumChainHardforks,
    deposit_contract: Option<Address>,
}

/// A header does not fit the chain's schedule of forks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForkError {
    /// The header has a field of a fork that the chain does not schedule: the block is newer than
    /// this build. Use a newer build.
    #[error(
        "block {number} (time {timestamp}) is of an unknown fork: its header has `{field}`, \
         the newest fork scheduled by then is {scheduled}"
    )]
    Unknown {
        /// The block.
        number: BlockNumber,
        /// Its timestamp.
        timestamp: u64,
        /// The field that gives it away.
        field: &'static str,
        /// The fork that the schedule gives for this block.
        scheduled: EthereumHardfork,
    },
    /// The fork is scheduled, but its blocks cannot be executed and checked by this build.
    #[error("block {number} is of fork {fork}, expected {newest} or older")]
    Unsupported {
        /// The block.
        number: BlockNumber,
        /// Its fork.
        fork: EthereumHardfork,
        /// The newest fork that is supported.
        newest: EthereumHardfork,
    },
    /// The header lacks a field that its fork asks for: it is no header of this chain.
    #[error("header of block {number} lacks `{field}`, expected from {since} on (it is of {fork})")]
    MissingField {
        /// The block.
        number: BlockNumber,
        /// Its fork.
        fork: EthereumHardfork,
        /// The field.
        field: &'static str,
        /// The fork that introduced the field.
        since: EthereumHardfork,
    },
}

impl ChainSpec {
    /// Ethereum mainnet.
    pub fn mainnet() -> Self {
        Self {
            chain_id: 1,
            forks: EthereumChainHardforks::mainnet(),
            deposit_contract: Some(MAINNET_DEPOSIT_CONTRACT_ADDRESS),
        }
    }

    /// A chain of its own on which all forks up to `newest` are active from block 0.
    pub fn from_genesis(chain_id: u64, newest: EthereumHardfork) -> Self {
        let active = EthereumHardfork::VARIANTS
            .iter()
            .filter(|fork| **fork <= newest);
        // The DAO's irregular state change belongs to mainnet's history, not to its rules.
        let rules = active.filter(|fork| **fork != EthereumHardfork::Dao);
        Self {
            chain_id,
            forks: EthereumChainHardforks::new(rules.map(|fork| (*fork, from_start(*fork)))),
            deposit_contract: None,
        }
    }

    /// The chain id that transactions are signed for.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The newest fork that is active at this number and time.
    pub fn fork_at(&self, number: BlockNumber, timestamp: u64) -> EthereumHardfork {
        let active = |fork: &&EthereumHardfork| {
            self.ethereum_fork_activation(**fork)
                .active_at_timestamp_or_number(timestamp, number.0)
        };
        let newest = EthereumHardfork::VARIANTS.iter().rev().find(active);
        newest.copied().unwrap_or(EthereumHardfork::Frontier)
    }

    /// The fork of a header, its fields checked against what that fork asks for.
    pub fn fork(&self, header: &Header) -> Result<EthereumHardfork, ForkError> {
        let number = BlockNumber(header.number);
        let fork = self.fork_at(number, header.timestamp);
        for (field, since, present) in optional_fields(header) {
            match (present, fork >= since) {
                (true, false) => {
                    return Err(ForkError::Unknown {
                        number,
                        timestamp: header.timestamp,
                        field,
                        scheduled: fork,
                    });
                }
                (false, true) => {
                    return Err(ForkError::MissingField {
                        number,
                        fork,
                        field,
                        since,
                    });
                }
                _ => {}
            }
        }
        if fork > NEWEST {
            return Err(ForkError::Unsupported {
                number,
                fork,
                newest: NEWEST,
            });
        }
        Ok(fork)
    }

    /// The environment that the transactions of a block with this header see.
    pub(super) fn evm_env(&self, header: &Header, fork: EthereumHardfork) -> EvmEnv {
        EvmEnv::for_eth_block(header, self, self.chain_id, blob_params(fork))
    }
}

impl EthereumHardforks for ChainSpec {
    fn ethereum_fork_activation(&self, fork: EthereumHardfork) -> ForkCondition {
        self.forks.ethereum_fork_activation(fork)
    }
}

impl EthExecutorSpec for ChainSpec {
    fn deposit_contract_address(&self) -> Option<Address> {
        self.deposit_contract
    }
}

/// The condition under which a fork is active from the first block on.
fn from_start(fork: EthereumHardfork) -> ForkCondition {
    if fork > EthereumHardfork::Paris {
        ForkCondition::Timestamp(0)
    } else {
        ForkCondition::Block(0)
    }
}

/// The header's optional fields in the order in which forks added them.
fn optional_fields(header: &Header) -> Fields {
    use EthereumHardfork::{Amsterdam, Cancun, London, Prague, Shanghai};
    [
        (
            "base_fee_per_gas",
            London,
            header.base_fee_per_gas.is_some(),
        ),
        (
            "withdrawals_root",
            Shanghai,
            header.withdrawals_root.is_some(),
        ),
        ("blob_gas_used", Cancun, header.blob_gas_used.is_some()),
        ("excess_blob_gas", Cancun, header.excess_blob_gas.is_some()),
        (
            "parent_beacon_block_root",
            Cancun,
            header.parent_beacon_block_root.is_some(),
        ),
        ("requests_hash", Prague, header.requests_hash.is_some()),
        (
            "block_access_list_hash",
            Amsterdam,
            header.block_access_list_hash.is_some(),
        ),
        ("slot_number", Amsterdam, header.slot_number.is_some()),
    ]
}

/// Blob parameters of a fork; BPO 3 to 5 have been given none yet and keep those of BPO 2.
fn blob_params(fork: EthereumHardfork) -> Option<BlobParams> {
    use EthereumHardfork::{Bpo1, Bpo2, Cancun, Osaka, Prague};
    match fork {
        fork if fork >= Bpo2 => Some(BlobParams::bpo2()),
        fork if fork >= Bpo1 => Some(BlobParams::bpo1()),
        fork if fork >= Osaka => Some(BlobParams::osaka()),
        fork if fork >= Prague => Some(BlobParams::prague()),
        fork if fork >= Cancun => Some(BlobParams::cancun()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fork(number: u64, timestamp: u64) -> EthereumHardfork {
        ChainSpec::mainnet().fork_at(BlockNumber(number), timestamp)
    }

    #[test]
    fn forks_change_neither_early_nor_late() {
        use EthereumHardfork as F;
        let at = [
            (0, 0, F::Frontier),
            (1_149_999, 1_457_981_000, F::Frontier),
            (1_150_000, 1_457_981_393, F::Homestead),
            (1_920_000, 1_469_020_840, F::Dao),
            (4_370_000, 1_508_131_331, F::Byzantium),
            (7_280_000, 1_551_383_524, F::Petersburg),
            (15_537_393, 1_663_224_161, F::GrayGlacier),
            (15_537_394, 1_663_224_179, F::Paris),
            (17_034_869, 1_681_338_443, F::Paris),
            (17_034_870, 1_681_338_455, F::Shanghai),
            (22_431_084, 1_746_612_311, F::Prague),
            (23_935_694, 1_764_798_551, F::Osaka),
            (24_000_000, 1_765_290_071, F::Bpo1),
            (24_647_140, 1_773_000_000, F::Bpo2),
        ];
        for (number, timestamp, expected) in at {
            assert_eq!(fork(number, timestamp), expected, "block {number}");
        }
    }

    #[test]
    fn a_field_from_the_future_is_not_ignored() {
        let header = Header {
            number: 20_000_000,
            timestamp: 1_717_281_407,
            base_fee_per_gas: Some(1),
            withdrawals_root: Some(Default::default()),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(Default::default()),
            ..Header::default()
        };
        let spec = ChainSpec::mainnet();
        assert_eq!(spec.fork(&header), Ok(EthereumHardfork::Cancun));

        let newer = Header {
            slot_number: Some(7),
            ..header.clone()
        };
        let error = ForkError::Unknown {
            number: BlockNumber(20_000_000),
            timestamp: 1_717_281_407,
            field: "slot_number",
            scheduled: EthereumHardfork::Cancun,
        };
        assert_eq!(spec.fork(&newer), Err(error));

        let older = Header {
            blob_gas_used: None,
            ..header
        };
        assert!(matches!(
            spec.fork(&older),
            Err(ForkError::MissingField {
                field: "blob_gas_used",
                ..
            })
        ));
    }

    #[test]
    fn a_fork_that_cannot_be_checked_is_refused() {
        let spec = ChainSpec::from_genesis(1337, EthereumHardfork::Amsterdam);
        let header = Header {
            base_fee_per_gas: Some(1),
            withdrawals_root: Some(Default::default()),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(Default::default()),
            requests_hash: Some(Default::default()),
            block_access_list_hash: Some(Default::default()),
            slot_number: Some(0),
            ..Header::default()
        };
        assert!(matches!(
            spec.fork(&header),
            Err(ForkError::Unsupported { .. })
        ));
    }

    #[test]
    fn all_forks_up_to_the_newest_start_at_genesis() {
        let spec = ChainSpec::from_genesis(1337, EthereumHardfork::Prague);
        assert_eq!(spec.fork_at(BlockNumber(0), 0), EthereumHardfork::Prague);
        assert!(spec.is_paris_active_at_block(0));
        assert!(!spec.is_osaka_active_at_timestamp(u64::MAX));
    }
}
