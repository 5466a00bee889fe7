//! Blocks of a node: fetched into a folder, then read from there.

use super::{NodeOptions, progress::Progress};
use crate::{
    cli::interrupt::INTERRUPTED,
    source::{
        input::{Input, InputKind},
        range::BlockRanges,
        rpc::{
            CallFault, Client, ClientOptions, FetchError, FetchFolder, FetchMethod, FetchPlan,
            RpcError, choose, fetch,
        },
    },
};
use eyre::{bail, ensure};
use serde_json::json;
use std::{
    path::Path,
    process::ExitCode,
    sync::{Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};
use thinstate_formats::BlockNumber;

/// By which calls a block's accesses are had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Method {
    /// The first of the others that the node offers for the first block.
    #[default]
    Auto,
    /// debug_executionWitness: executed here, and checked.
    Witness,
    /// debug_traceBlockByNumber with the prestateTracer.
    Prestate,
    /// eth_getBlockAccessList: without values before.
    Bal,
}

/// What came of fetching.
pub(super) enum Outcome {
    /// All blocks are in the folder.
    All(FetchFolder, Vec<Input>),
    /// The command was interrupted.
    Interrupted(ExitCode),
}

/// Fetches the blocks that are not there yet.
pub(super) fn run(
    options: &NodeOptions,
    ranges: &BlockRanges,
    output: &Path,
    stop: &AtomicBool,
) -> eyre::Result<Outcome> {
    ensure!(
        options.rps >= 0.0 && options.rps.is_finite(),
        "--rps: expected 0 or more"
    );
    let client = client(options)?;
    match fetched(&client, options, ranges, output, stop) {
        Err(error) if is_stopped(&error) => Ok(interrupted(output, 0)),
        outcome => outcome,
    }
}

fn fetched(
    client: &Client,
    options: &NodeOptions,
    ranges: &BlockRanges,
    output: &Path,
    stop: &AtomicBool,
) -> eyre::Result<Outcome> {
    check_chain(client, options.chain_id, stop)?;
    let latest = latest(client, stop)?;
    let blocks = ranges.resolve(Some(latest))?;
    let path = FetchFolder::beside(output);
    let method = match method(options.method, FetchFolder::method_of(&path)) {
        Some(method) => method,
        None => {
            let first = *blocks.first().expect("ranges name a block each");
            choose(client, first, stop)?
        }
    };
    let folder = FetchFolder::open(path, options.chain_id, method)?;
    status!(
        "{} blocks of chain {} by {method}, kept in {}",
        blocks.len(),
        options.chain_id,
        folder.path().display()
    );
    let plan = FetchPlan {
        blocks: &blocks,
        folder: &folder,
        max_concurrent: options.max_concurrent,
    };
    let progress = Mutex::new(Progress::new(blocks.len()));
    let report = fetch(client, &plan, stop, &|number, _| {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.done(format!("block {number} fetched"));
    });
    let progress = progress
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    progress.finish();
    let report = report?;
    let there = report.new + report.kept;
    if there < blocks.len() {
        return Ok(interrupted(output, there));
    }
    status!(
        "{} blocks fetched, {} were there, {} requests were tried again",
        report.new,
        report.kept,
        client.retried()
    );
    let inputs = inputs(&folder, &blocks);
    Ok(Outcome::All(folder, inputs))
}

fn interrupted(output: &Path, blocks: usize) -> Outcome {
    let folder = FetchFolder::beside(output);
    status!(
        "interrupted: {blocks} of the blocks are in {}; the same command goes on from there",
        folder.display()
    );
    Outcome::Interrupted(ExitCode::from(INTERRUPTED))
}

fn is_stopped(error: &eyre::Report) -> bool {
    let call = error.downcast_ref::<RpcError>();
    let call = call.or_else(|| match error.downcast_ref::<FetchError>() {
        Some(FetchError::Call(call)) => Some(call),
        _ => None,
    });
    call.is_some_and(|call| matches!(call.source, CallFault::Stopped))
}

/// The method that was asked for; that of a folder that was begun, where any will do.
const fn method(asked: Method, begun: Option<FetchMethod>) -> Option<FetchMethod> {
    match asked {
        Method::Auto => begun,
        Method::Witness => Some(FetchMethod::Witness),
        Method::Prestate => Some(FetchMethod::Prestate),
        Method::Bal => Some(FetchMethod::Bal),
    }
}

fn inputs(folder: &FetchFolder, blocks: &[BlockNumber]) -> Vec<Input> {
    let kind = match folder.method() {
        FetchMethod::Witness => InputKind::Witness,
        FetchMethod::Prestate => InputKind::Prestate,
        FetchMethod::Bal => InputKind::AccessList,
    };
    let input = |number: &BlockNumber| Input {
        number: *number,
        kind,
        path: folder.input(*number),
    };
    blocks.iter().map(input).collect()
}

fn client(options: &NodeOptions) -> eyre::Result<Client> {
    // Not by clap: a variable that is set would count as a second source beside the paths.
    let url = match options.rpc.as_deref() {
        Some("") | None => std::env::var("ETH_RPC_URL").unwrap_or_default(),
        Some(url) => url.to_owned(),
    };
    if !url.starts_with("http://") && !url.starts_with("https://") {
        bail!("--rpc: expected an address that begins with http:// or https:// (or ETH_RPC_URL)");
    }
    Ok(Client::new(
        url,
        ClientOptions {
            rps: options.rps,
            retries: options.retries,
            timeout: Duration::from_secs(options.timeout),
            response_bytes_max: options.max_response.saturating_mul(1 << 20),
            ..ClientOptions::default()
        },
    ))
}

fn check_chain(client: &Client, expected: u64, stop: &AtomicBool) -> eyre::Result<()> {
    let got = quantity(client, "eth_chainId", stop)?;
    if got == expected {
        return Ok(());
    }
    Err(FetchError::OtherChain { expected, got }.into())
}

fn latest(client: &Client, stop: &AtomicBool) -> eyre::Result<BlockNumber> {
    quantity(client, "eth_blockNumber", stop).map(BlockNumber)
}

fn quantity(client: &Client, method: &'static str, stop: &AtomicBool) -> eyre::Result<u64> {
    let result = client.call(method, &json!([]), None, stop)?;
    let digits = result.as_str().and_then(|text| text.strip_prefix("0x"));
    let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.ok_or_else(|| {
        let source = CallFault::Unexpected {
            expected: "a quantity".to_owned(),
            got: result.to_string(),
        };
        let (block, attempts) = (None, 1);
        let error = RpcError {
            method,
            block,
            attempts,
            source,
        };
        error.into()
    })
}
