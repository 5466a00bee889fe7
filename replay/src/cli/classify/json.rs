//! The figures as JSON.

use super::job::Figures;
use crate::{
    classify::{Comparison, Report},
    cli::stdio::Out,
};
use serde_json::{Value, json};
use std::io::Write as _;

pub(super) fn print(figures: &Figures) -> eyre::Result<()> {
    let eras = figures.eras.iter().map(|(name, it)| {
        let mut value = report(it);
        value["years"] = json!(name);
        value
    });
    let blocks = figures.blocks.iter().map(|(number, timestamp, it)| {
        let mut value = report(it);
        value["block"] = json!(number);
        value["timestamp"] = json!(timestamp);
        value
    });
    let document = json!({
        "blocks_with_logs": figures.with_logs,
        "contracts_in_registry": figures.known,
        "contracts_learned": figures.learned,
        "all": report(&figures.all),
        "eras": eras.collect::<Value>(),
        "per_block": blocks.collect::<Value>(),
        "search": figures.search.as_ref().map(comparison),
    });
    serde_json::to_writer_pretty(&mut Out, &document)?;
    writeln!(Out)?;
    Ok(())
}

fn report(report: &Report) -> Value {
    let rows = report.rows.iter().map(|((kind, method), tally)| {
        json!({
            "slot": kind,
            "class": kind.class(),
            "method": method.to_string(),
            "read": tally.read,
            "written": tally.written,
            "keys_known": tally.movable,
            "keys_known_written": tally.movable_written,
        })
    });
    let [total, objects, unknown] = [report.total(), report.objects(), report.unrecognised()];
    json!({
        "blocks": report.blocks,
        "slots_touched": total.touched(),
        "slots_written": total.written,
        "objects_touched": objects.touched(),
        "objects_written": objects.written,
        "objects_keys_known_written": objects.movable_written,
        "unrecognised_touched": unknown.touched(),
        "unrecognised_written": unknown.written,
        "balances_against_logs": report.balances,
        "rows": rows.collect::<Value>(),
    })
}

fn comparison(comparison: &Comparison) -> Value {
    let kinds = comparison.kinds.iter().map(|(kind, it)| {
        json!({
            "slot": kind,
            "both": it.both,
            "missed": it.missed,
            "extra": it.extra,
            "wrong": it.wrong,
            "precision": it.precision(),
            "recall": it.recall(),
        })
    });
    kinds.collect()
}
