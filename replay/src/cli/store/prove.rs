//! `thinstate store prove`.

use super::{
    Datadir, describe_head,
    object::{Class, ObjectArgs, wrong_arguments},
    print_json,
};
use crate::inspect::{
    answer::{ProofAnswer, SlotKey},
    entry::{self, EntryKey},
    export::PartialFile,
    record,
};
use alloy_primitives::{Address, B256, U256};
use eyre::WrapErr as _;
use serde::Serialize;
use std::{io::Write as _, path::PathBuf, process::ExitCode};
use thinstate_formats::{PeriodId, RecordIndex};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Address of the account, 40 hex digits.
    #[arg(
        required_unless_present_any = ["contract", "record"],
        conflicts_with_all = ["contract", "record"]
    )]
    address: Option<Address>,
    /// Numbers of slots, decimal or in hex with 0x.
    #[arg(value_name = "SLOT")]
    slots: Vec<SlotKey>,
    #[command(flatten)]
    datadir: Datadir,
    /// Prove an object of this contract in the temporary tier.
    #[arg(long, value_name = "ADDR", conflicts_with = "record")]
    contract: Option<Address>,
    /// Class of the object: erc20-balance, erc721-owner, erc1155-balance, cdp,
    /// allowance, plain-slot.
    #[arg(long, value_enum, requires = "contract", hide_possible_values = true)]
    class: Option<Class>,
    #[command(flatten)]
    object: ObjectArgs,
    /// Key of the entry, instead of a class.
    #[arg(
        long,
        value_name = "B256",
        requires = "contract",
        conflicts_with = "class"
    )]
    key: Option<B256>,
    /// Sealed period to ask; else the newest that has the object.
    #[arg(long, value_name = "P", requires = "contract")]
    period: Option<u64>,
    /// Prove a record of the UTXO tier, by its index.
    #[arg(long, value_name = "INDEX")]
    record: Option<u64>,
    /// Write the proof to FILE instead of stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What is to be proved.
enum Question {
    Account(Address),
    Entry(EntryKey),
    Record(RecordIndex),
}

/// The command line asks for nothing, or for two things.
#[derive(Debug, thiserror::Error)]
enum QuestionError {
    #[error("--contract needs --class or --key")]
    NoKey,
    #[error("--owner, --id, --spender and --slot need --class")]
    NoClass,
    #[error("expected an account, --contract or --record")]
    Nothing,
    #[error(transparent)]
    Name(#[from] crate::inspect::object::ObjectNameError),
}

/// Runs the command. The proof is verified against what the head commits to before it is printed;
/// which block that is goes to stderr.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    match options.question() {
        Err(error) => return Ok(wrong_arguments(&error)),
        Ok(Question::Account(address)) => account(options, address)?,
        Ok(Question::Entry(key)) => {
            let store = options.datadir.open_tiers()?;
            let answer = entry::prove(&store, key, options.period.map(PeriodId))?;
            eprint!("{}", describe_head(&store.head()));
            options.write(&answer)?;
        }
        Ok(Question::Record(index)) => {
            let store = options.datadir.open_tiers()?;
            let answer = record::prove(&store, index)?;
            eprint!("{}", describe_head(&store.head()));
            options.write(&answer)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Options {
    fn question(&self) -> Result<Question, QuestionError> {
        if self.class.is_none() && !self.object.is_empty() {
            return Err(QuestionError::NoClass);
        }
        if let Some(contract) = self.contract {
            let object = self.class.map(|class| self.object.key(class)).transpose()?;
            let key = object.map(|key| key.temporary_key()).or(self.key);
            return Ok(Question::Entry(EntryKey {
                contract,
                key: key.ok_or(QuestionError::NoKey)?,
                object,
            }));
        }
        let record = self
            .record
            .map(|index| Question::Record(RecordIndex(index)));
        let account = || self.address.map(Question::Account);
        record.or_else(account).ok_or(QuestionError::Nothing)
    }

    fn write(&self, answer: &impl Serialize) -> eyre::Result<()> {
        let Some(path) = &self.output else {
            return print_json(answer);
        };
        let mut file = PartialFile::create(path)?;
        serde_json::to_writer_pretty(&mut file, answer)?;
        file.write_all(b"\n")?;
        Ok(file.finish()?)
    }
}

fn account(options: &Options, address: Address) -> eyre::Result<()> {
    let tier = options.datadir.open()?;
    let view = tier.view();
    let slots: Vec<U256> = options.slots.iter().map(|slot| slot.number).collect();
    let proof = view
        .prove(address, &slots)
        .wrap_err("the state does not hold what the proof needs")?;
    proof
        .verify(view.head().root)
        .wrap_err("the proof does not hold, so the store is damaged")?;
    eprint!("{}", describe_head(view.head()));
    options.write(&ProofAnswer::new(&proof, &options.slots))
}
