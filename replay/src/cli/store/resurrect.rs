//! `thinstate store resurrect`.

use super::{
    Datadir, describe_head,
    object::{Class, ObjectArgs, wrong_arguments},
    print_json,
};
use crate::inspect::{
    entry::{self, EntryAnswer, EntryKey},
    resurrect::resurrect,
};
use alloy_primitives::Address;
use eyre::WrapErr as _;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};
use thinstate_formats::{PeriodId, policy::Policy};

/// Options of the command.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "thinstate store resurrect --datadir <DIR> --policy <FILE> \\\n         \
                      --contract <ADDR> --class <CLASS> --period <P> [OPTIONS]"
)]
pub(super) struct Options {
    #[command(flatten)]
    datadir: Datadir,
    /// Policy of the contract, TOML, with the rules of the store.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The contract.
    #[arg(long, value_name = "ADDR")]
    contract: Address,
    /// Class of the object: erc20-balance, erc721-owner, cdp.
    #[arg(long, value_enum, hide_possible_values = true)]
    class: Class,
    #[command(flatten)]
    object: ObjectArgs,
    /// Period that the object was sealed with.
    #[arg(long, value_name = "P")]
    period: u64,
    /// Proof as `prove` prints it, - for stdin; else the archive's.
    #[arg(long, value_name = "FILE|-")]
    proof: Option<PathBuf>,
}

/// No proof of a leaf is longer: 256 siblings, and the JSON around them.
const PROOF_BYTES_MAX: u64 = 1 << 20;

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let key = match options.object.key(options.class) {
        Ok(key) => key,
        Err(error) => return Ok(wrong_arguments(&error)),
    };
    let policy = read_policy(&options.policy)?;
    let given = options.proof.as_deref().map(read_proof).transpose()?;
    let store = options.datadir.open_tiers()?;
    let (contract, period) = (options.contract, PeriodId(options.period));
    let entry = EntryKey {
        contract,
        key: key.temporary_key(),
        object: Some(key),
    };
    let proof = match given {
        Some(proof) => proof,
        None => entry::prove(&store, entry, Some(period))?,
    };
    let answer = resurrect(&store, &policy, contract, key, period, &proof)?;
    eprint!("{}", describe_head(&store.head()));
    print_json(&answer)?;
    Ok(ExitCode::SUCCESS)
}

fn read_policy(path: &Path) -> eyre::Result<Policy> {
    let text = std::fs::read_to_string(path)
        .wrap_err_with(|| format!("cannot read the policy {}", path.display()))?;
    Policy::parse(&text).wrap_err_with(|| format!("{}", path.display()))
}

fn read_proof(path: &Path) -> eyre::Result<EntryAnswer> {
    let read = match path == Path::new("-") {
        true => read_capped(io::stdin().lock()),
        false => File::open(path).and_then(read_capped),
    };
    let bytes = read.wrap_err_with(|| format!("cannot read the proof {}", path.display()))?;
    serde_json::from_slice(&bytes).wrap_err_with(|| {
        format!(
            "{} is no proof of an object, expected what `prove` prints",
            path.display()
        )
    })
}

fn read_capped(read: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read.take(PROOF_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > PROOF_BYTES_MAX {
        let message = format!("it is too long, expected at most {PROOF_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(bytes)
}
