//! The figures as tables.

use super::job::Figures;
use crate::{
    classify::{BalanceCheck, Comparison, Report, SlotKind, Tally, share},
    cli::stdio::Out,
};
use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use std::io::{self, Write as _};

pub(super) fn print(figures: &Figures) -> io::Result<()> {
    writeln!(Out, "{}", rows(&figures.all))?;
    if !figures.blocks.is_empty() {
        let blocks = figures.blocks.iter();
        let blocks = blocks.map(|(number, _, report)| (number.to_string(), report));
        writeln!(Out, "{}", rows_by_block(blocks))?;
    }
    let mut summed: Vec<(String, &Report)> = Vec::new();
    for (number, _, report) in &figures.blocks {
        summed.push((number.to_string(), report));
    }
    for (era, report) in &figures.eras {
        summed.push((era.clone(), report));
    }
    summed.push(("all".to_owned(), &figures.all));
    writeln!(Out, "{}", sums("written", &summed, |it| it.written))?;
    writeln!(Out, "{}", sums("touched", &summed, Tally::touched))?;
    writeln!(Out, "{}", balances(&figures.all.balances))?;
    if let Some(search) = &figures.search {
        writeln!(Out, "{}", comparison(search))?;
    }
    writeln!(Out, "{}", headline(&figures.all))?;
    writeln!(
        Out,
        "{} blocks, {} with logs; layouts of {} contracts in the registry, of {} learned",
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
        "of\nwrites",
        "of\ntouches",
    ]);
    for row in cells(report) {
        table.add_row(row);
    }
    table
}

/// Every kind and method of each block, whose number stands at its first line. Shares of touches are left to the sums.
fn rows_by_block<'r>(blocks: impl Iterator<Item = (String, &'r Report)>) -> Table {
    let mut table = table([
        "block",
        "slot",
        "recognised by",
        "read",
        "written",
        "of\nwrites",
    ]);
    for (block, report) in blocks {
        for (line, row) in cells(report).into_iter().enumerate() {
            let first = if line == 0 { block.as_str() } else { "" };
            table.add_row(
                [Cell::new(first)]
                    .into_iter()
                    .chain(row.into_iter().take(5)),
            );
        }
    }
    table
}

/// A line for each kind and method of a report, and one for all.
fn cells(report: &Report) -> Vec<[Cell; 6]> {
    let total = report.total();
    let row = |kind: &str, method: &str, tally: Tally| {
        [
            Cell::new(kind),
            Cell::new(method),
            number(tally.read),
            number(tally.written),
            percent(tally.written, total.written),
            percent(tally.touched(), total.touched()),
        ]
    };
    let mut lines: Vec<_> = SlotKind::ALL
        .into_iter()
        .flat_map(|kind| report.rows.iter().filter(move |((it, _), _)| *it == kind))
        .map(|((kind, method), tally)| row(kind.name(), &method.to_string(), *tally))
        .collect();
    lines.push(row("all", "", total));
    lines
}

/// The shares that matter, for some sets of blocks: of slots written, or of slots touched.
fn sums(what: &str, reports: &[(String, &Report)], of: fn(&Tally) -> u64) -> Table {
    let mut table = table([
        what,
        "slots",
        "ERC-20",
        "objects",
        "of users",
        "unrecognised",
    ]);
    for (name, report) in reports {
        let whole = of(&report.total());
        let percent = |tally: Tally| percent(of(&tally), whole);
        table.add_row([
            Cell::new(name),
            number(whole),
            percent(report.count(|kind, _| kind == SlotKind::Erc20Balance)),
            percent(report.objects()),
            percent(report.count(|kind, _| kind.is_of_user())),
            percent(report.unrecognised()),
        ]);
    }
    table
}

/// What a policy can move, and what it cannot.
fn headline(report: &Report) -> String {
    let (total, objects) = (report.total(), report.objects());
    let of = |kind| report.count(|it, _| it == kind).written;
    let text = |part, whole| share(part, whole).map_or(0.0, |share| 100.0 * share);
    format!(
        "{:.1} % of slot writes are objects of users ({:.1} % with a key that a cheap tier can use), \
         {:.1} % of touches.\nUnrecognised: {:.1} % of writes ({:.1} % with an address among their keys, \
         {:.1} % with other keys).",
        text(objects.written, total.written),
        text(objects.movable_written, total.written),
        text(objects.touched(), total.touched()),
        text(report.unrecognised().written, total.written),
        text(of(SlotKind::AddressEntry), total.written),
        text(of(SlotKind::OtherEntry), total.written),
    )
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
    let objects = comparison
        .kinds
        .iter()
        .filter(|(kind, _)| kind.is_of_user());
    for (kind, agreement) in objects {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Agreement, Basis, Method};

    #[test]
    fn no_table_is_wider_than_90_columns() {
        let many = 999_999_999;
        let tally = Tally {
            read: many,
            written: many,
            movable: many,
            movable_written: many,
        };
        let method = Method::Preimage(Basis::Registry);
        let rows = SlotKind::ALL.map(|kind| ((kind, method), tally));
        let report = Report {
            blocks: many,
            rows: rows.into(),
            balances: BalanceCheck {
                agree: many,
                ..BalanceCheck::default()
            },
        };
        // A block has no more gas than for so many.
        let few = Tally {
            read: 99_999,
            written: 99_999,
            ..Tally::default()
        };
        let of_block = Report {
            rows: SlotKind::ALL.map(|kind| ((kind, method), few)).into(),
            ..Report::default()
        };
        let agreement = Agreement {
            both: many,
            missed: many,
            extra: many,
            wrong: many,
        };
        let kinds = SlotKind::ALL.map(|kind| (kind, agreement)).into();
        let named = [("2015-2017".to_owned(), &report)];
        let texts = [
            super::rows(&report).to_string(),
            rows_by_block([("24647140".to_owned(), &of_block)].into_iter()).to_string(),
            sums("written", &named, Tally::touched).to_string(),
            balances(&report.balances).to_string(),
            comparison(&Comparison { kinds }).to_string(),
        ];
        for text in texts {
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(90), "{text}");
        }
    }

    /// What the JSON says of a block, its lines say: by kind and method, each block under its number.
    #[test]
    fn no_block_lacks_its_kinds_and_methods() {
        let report = |read, written| {
            let tally = Tally {
                read,
                written,
                ..Tally::default()
            };
            let rows = [
                (
                    (SlotKind::Erc20Balance, Method::Preimage(Basis::Log)),
                    tally,
                ),
                (
                    (SlotKind::Erc20Balance, Method::Search(Basis::Shape)),
                    tally,
                ),
            ];
            Report {
                rows: rows.into(),
                ..Report::default()
            }
        };
        let (first, second) = (report(1_001, 2_002), report(3_003, 4_004));
        let blocks = [("7".to_owned(), &first), ("8".to_owned(), &second)];
        let text = rows_by_block(blocks.into_iter()).to_string();
        let lines: Vec<&str> = text.lines().filter(|it| it.contains("_balance")).collect();
        assert_eq!(lines.len(), 4, "{text}");
        let methods = [Method::Preimage(Basis::Log), Method::Search(Basis::Shape)];
        for (at, line) in lines.iter().enumerate() {
            let (block, read, written) = [("7", "1001", "2002"), ("8", "3003", "4004")][at / 2];
            assert_eq!(line.contains(&format!(" {block} ")), at % 2 == 0, "{text}");
            assert!(line.contains(&methods[at % 2].to_string()), "{text}");
            assert!(line.contains(read) && line.contains(written), "{text}");
        }
    }
}
