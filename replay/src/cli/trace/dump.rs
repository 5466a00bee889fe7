//! Printing one block's accesses.
//!
//! The first line is the block itself; each other line is one access, with its index and its kind.

use crate::{cli::stdio::Out, trace::TraceReader};
use eyre::bail;
use serde_json::{Value, json};
use std::{
    io::{self, BufWriter, Write as _},
    path::Path,
    process::ExitCode,
};
use thinstate_formats::{
    Account, BlockNumber,
    trace::{
        AccountAccess, AccountAccessKind, BlockTrace, PreimageOrder, SlotAccess, SlotAccessKind,
        SlotPreimage, TxAccesses,
    },
};

pub(super) fn run(path: &Path, number: BlockNumber) -> eyre::Result<ExitCode> {
    let reader = TraceReader::open(path)?;
    let Some(block) = reader.block(number)? else {
        bail!("{}: no block {number}", path.display());
    };
    print(&block)?;
    Ok(ExitCode::SUCCESS)
}

fn print(block: &BlockTrace) -> io::Result<()> {
    let mut out = BufWriter::new(Out);
    writeln!(out, "{}", header(block))?;
    for group in &block.accesses {
        for mut line in lines(group) {
            line["index"] = json!(group.index.get());
            writeln!(out, "{line}")?;
        }
    }
    out.flush()
}

fn header(block: &BlockTrace) -> Value {
    json!({
        "block": block.number,
        "timestamp": block.timestamp,
        "gas_used": block.gas_used,
        "gas_limit": block.gas_limit,
        "tx_count": block.tx_count,
        "hash": block.hash,
        "parent_hash": block.parent_hash,
        "state_root": block.state_root,
    })
}

fn lines(group: &TxAccesses) -> impl Iterator<Item = Value> {
    let reads = group.code_reads.iter();
    let reads = reads.map(|code| json!({"code_read": code.hash, "length": code.length}));
    let writes = group.code_writes.iter();
    let writes = writes.map(|code| json!({"code_write": code.hash, "length": code.length}));
    group
        .accounts
        .iter()
        .map(account_line)
        .chain(group.slots.iter().map(slot_line))
        .chain(reads)
        .chain(writes)
}

fn account_line(access: &AccountAccess) -> Value {
    let address = access.address;
    match access.kind {
        AccountAccessKind::Read { found } => {
            json!({"account_read": address, "found": found.map(account)})
        }
        AccountAccessKind::Write {
            before,
            after,
            storage_wiped,
        } => json!({
            "account_write": address,
            "before": before.map(account),
            "after": after.map(account),
            "storage_wiped": storage_wiped,
        }),
    }
}

fn account(account: Account) -> Value {
    json!({
        "nonce": account.nonce,
        "balance": account.balance,
        "code_hash": account.code_hash,
    })
}

fn slot_line(access: &SlotAccess) -> Value {
    let (address, slot) = access.key();
    let mut line = match access.kind {
        SlotAccessKind::Read { value } => {
            json!({"slot_read": address, "slot": slot, "value": value})
        }
        SlotAccessKind::Write { before, after } => {
            json!({"slot_write": address, "slot": slot, "before": before, "after": after})
        }
    };
    line["class"] = json!(access.class.name());
    line["preimages"] = access.preimages.iter().map(preimage).collect();
    line
}

fn preimage(preimage: &SlotPreimage) -> Value {
    let order = match preimage.order {
        PreimageOrder::KeyThenBase => "key_then_base",
        PreimageOrder::BaseThenKey => "base_then_key",
    };
    json!({"order": order, "key": preimage.key, "base": preimage.base})
}
