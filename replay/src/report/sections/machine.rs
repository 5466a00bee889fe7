//! Machine and settings.

use crate::{
    measure::Program,
    report::{
        Data, Section, Table,
        format::{bytes, short},
    },
};
use serde_json::Value;

pub(super) fn section(data: &Data) -> Option<Section> {
    let run = &data.cells.first()?.runs.first()?.result;
    let mut tables = vec![facts("Machine.", &data.machine)];
    if let Some(device) = &data.device {
        let mut table = Table::new(["device", "value"])
            .titled(format!("The device, {} ({}).", device.name, device.source));
        let mut row = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                table.row([name.to_owned(), value]);
            }
        };
        let rate = |value: Option<f64>| value.map(|it| format!("{}/s", bytes(it)));
        row("sequential reads", rate(device.read_bytes_per_second));
        row("sequential writes", rate(device.write_bytes_per_second));
        let us = |value: Option<f64>| value.map(|it| format!("{it:.0} µs"));
        row("random read of 4 KiB, alone", us(device.read_latency_us));
        row("append of 4 KiB with fdatasync", us(device.sync_latency_us));
        for (depth, iops) in &device.read_iops {
            row(
                &format!("random reads, {depth} in flight"),
                Some(format!("{}/s", short(*iops))),
            );
        }
        for (depth, iops) in &device.write_iops {
            row(
                &format!("random writes, {depth} in flight"),
                Some(format!("{}/s", short(*iops))),
            );
        }
        tables.push(table);
    }
    tables.push(program(&run.program));
    tables.push(facts("Settings of the first run.", &run.config));
    if let Some(study) = &data.study {
        tables.push(facts(
            "The study.",
            &serde_json::to_value(study).unwrap_or_default(),
        ));
    }
    let mut text = Vec::new();
    if data.roots_compared > 0 {
        text.push(format!(
            "State roots of designs with the same trie were compared after {} blocks: all equal.",
            crate::report::format::count(data.roots_compared)
        ));
    }
    Some(Section {
        id: "machine",
        title: "Machine and settings".to_owned(),
        text,
        figures: Vec::new(),
        tables,
    })
}

/// What ran, and how it was built.
fn program(it: &Program) -> Table {
    let known = |value: &Option<String>| match value.as_deref() {
        None => "not known".to_owned(),
        Some("") => "none".to_owned(),
        Some(value) => value.to_owned(),
    };
    let dirty = match it.dirty {
        Some(true) => ", with changes",
        _ => "",
    };
    let assertions = match it.debug_assertions {
        None => "not known",
        Some(true) => "on",
        Some(false) => "off",
    };
    let commit = it.commit.as_deref().unwrap_or("-");
    let mut table = Table::new(["program", "value"]).titled("Program.");
    table.row(["version", it.version.as_str()]);
    table.row(["commit".to_owned(), format!("{commit}{dirty}")]);
    table.row(["compiler".to_owned(), known(&it.rustc)]);
    table.row(["build profile", it.build_profile.as_str()]);
    table.row(["optimization level".to_owned(), known(&it.opt_level)]);
    table.row(["optimization at link time".to_owned(), known(&it.lto)]);
    table.row(["debug assertions", assertions]);
    table.row(["compiler flags".to_owned(), known(&it.rustflags)]);
    table.row(["target", it.target.as_str()]);
    table.row(["target CPU".to_owned(), known(&it.target_cpu)]);
    for (name, list) in [
        ("target features", &it.target_features),
        ("features", &it.features),
    ] {
        let list = match list.is_empty() {
            true => "none".to_owned(),
            false => list.join(", "),
        };
        table.row([name.to_owned(), list]);
    }
    table
}

/// A JSON object as rows; what is nested has its path as the name.
fn facts(caption: &str, of: &Value) -> Table {
    let mut table = Table::new(["name", "value"]).titled(caption);
    flatten("", of, &mut table);
    table
}

fn flatten(path: &str, value: &Value, table: &mut Table) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                flatten(&path, value, table);
            }
        }
        Value::Null => {}
        Value::String(text) => table.row([path, text]),
        other => table.row([path.to_owned(), other.to_string()]),
    }
}
