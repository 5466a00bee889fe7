//! The figures as tables.

use super::job::Figures;
use crate::classify::{BalanceCheck, Comparison, Report, SlotKind, Tally, share};
use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use std::io::{self, Write as _};

pub(super) fn print(figures: &Figures) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", rows(&figures.all))?;
    let mut summed: Vec<(String, &Report)> = Vec::new();
    for (number, _, report) in &figures.blocks {
        summed.push((number.to_string(), report));
    }
    for (era, report) in &figures.eras {
        summed.push((era.clone(), report));
    }
    summed.push(("all".to_owned(), &figures.all));
    writeln!(out, "{}", sums(&summed))?;
    writeln!(out, "{}", balances(&figures.all.balances))?;
    if let Some(search) = &figures.search {
        writeln!(out, "{}", comparison(search))?;
    }
    writeln!(
        out,
        "{} blocks, {} of them with logs; layouts: {} contracts in the registry, {} learned beyond it",
        figures.all.blocks, figures.with_logs, figures.known, figures.learned
    )
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(header);
    table
}

fn number(number: u64) -> Cell {
    Cell::new(number).set_alignment(CellAlignment::Right)
}

fn percent(part: u64, whole: u64) -> Cell {
    ratio(share(part, whole))
}

fn ratio(share: Option<f64>) -> Cell {
    let text = share.map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share));
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// Every kind and method.
fn rows(report: &Report) -> Table {
    let mut table = table([
        "slot",
        "recognised by",
        "read",
        "written",
        "of writes",
        "of touches",
    ]);
    let total = report.total();
    let mut row = |kind: &str, method: &str, tally: Tally| {
        table.add_row([
            Cell::new(kind),
            Cell::new(method),
            number(tally.read),
            number(tally.written),
            percent(tally.written, total.written),
            percent(tally.touched(), total.touched()),
        ]);
    };
    for kind in SlotKind::ALL {
        let of_kind = report.rows.iter().filter(|((it, _), _)| *it == kind);
        for ((_, method), tally) in of_kind {
            row(kind.name(), &method.to_string(), *tally);
        }
    }
    row("all", "", total);
    table
}

/// The shares that matter, for some sets of blocks.
fn sums(reports: &[(String, &Report)]) -> Table {
    let mut table = table([
        "blocks",
        "slots written",
        "ERC-20",
        "objects",
        "keys known",
        "own",
        "unrecognised",
        "touched: ERC-20",
        "objects",
        "unrecognised",
    ]);
    for (name, report) in reports {
        let (total, objects, unknown) = (report.total(), report.objects(), report.unrecognised());
        let erc20 = report.count(|kind, _| kind == SlotKind::Erc20Balance);
        let own = total.written - objects.written - unknown.written;
        let [written, touched] = [total.written, total.touched()];
        table.add_row([
            Cell::new(name),
            number(written),
            percent(erc20.written, written),
            percent(objects.written, written),
            percent(objects.movable_written, written),
            percent(own, written),
            percent(unknown.written, written),
            percent(erc20.touched(), touched),
            percent(objects.touched(), touched),
            percent(unknown.touched(), touched),
        ]);
    }
    table
}

fn balances(check: &BalanceCheck) -> Table {
    let mut table = table(["ERC-20 balances against logs", "accesses", "of logged"]);
    let logged = check.agree + check.differ + check.still;
    let mut row = |name, count, share| {
        table.add_row([Cell::new(name), number(count), share]);
    };
    row("move as logged", check.agree, percent(check.agree, logged));
    row(
        "move otherwise",
        check.differ,
        percent(check.differ, logged),
    );
    row("do not move", check.still, percent(check.still, logged));
    row("move without a log", check.unlogged, Cell::new(""));
    table
}

fn comparison(comparison: &Comparison) -> Table {
    let mut table = table([
        "search alone",
        "both",
        "missed",
        "extra",
        "wrong",
        "precision",
        "recall",
    ]);
    for (kind, agreement) in &comparison.kinds {
        table.add_row([
            Cell::new(kind),
            number(agreement.both),
            number(agreement.missed),
            number(agreement.extra),
            number(agreement.wrong),
            ratio(agreement.precision()),
            ratio(agreement.recall()),
        ]);
    }
    table
}
