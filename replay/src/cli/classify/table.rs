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
            sums("written", &named, Tally::touched).to_string(),
            balances(&report.balances).to_string(),
            comparison(&Comparison { kinds }).to_string(),
        ];
        for text in texts {
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(90), "{text}");
        }
    }
}
