//! A report of a study that a machine of known speed carried out: nothing in it is not in the results.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "support/made_up_study.rs"]
mod made_up_study;
#[expect(dead_code, reason = "each test file uses a part")]
#[path = "support/runs.rs"]
mod runs;

use made_up_study::{DESIGNS, Made, made, report_of, section};
use thinstate_replay::{
    model::{self, HashFunction},
    replay::RunConfig,
    report,
    study::ModelReport,
};

#[test]
fn no_figure_lacks_its_numbers() {
    let Made { data, sections, .. } = made();
    let ids: Vec<_> = sections.iter().map(|section| section.id).collect();
    let expected = [
        "headline",
        "multiples",
        "noise",
        "stages",
        "latency",
        "io",
        "bytes",
        "growth",
        "witness",
        "model",
        "workload",
        "machine",
    ];
    assert_eq!(ids, expected);
    for section in sections {
        for figure in &section.figures {
            assert!(!figure.table.rows.is_empty(), "{}", section.id);
            for bad in ["NaN", "inf"] {
                assert!(!figure.svg.contains(bad), "{}: {bad}", section.id);
            }
            for row in &figure.table.rows {
                assert_eq!(row.len(), figure.table.columns.len(), "{}", section.id);
            }
        }
    }
    // The headline is what the study found, to the digit.
    let headline = &sections[0].figures[0].table;
    for (row, cell) in headline.rows.iter().zip(&data.cells) {
        let largest = cell.largest.multiple.unwrap();
        let digits: String = row[3].chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits.parse::<u32>().unwrap(), largest);
    }
}

#[test]
fn no_difference_below_the_noise_floor_is_passed_off_as_one() {
    let Made {
        dir,
        data,
        sections,
    } = made();
    let noise = section(sections, "noise");
    assert!(noise.text[0].contains("below the floor mean nothing"));
    assert!(
        noise.text[0].contains("mpt with 1 M accounts at 1x"),
        "{}",
        noise.text[0]
    );
    let rows = &noise.tables[0].rows;
    assert_eq!(
        rows[0][0], "total",
        "a block's whole work is what differences are of"
    );
    for statistic in ["mean", "p50", "p90", "p99"] {
        let of = |row: &&Vec<String>| row[0] == "total" && row[1] == statistic;
        let row = rows.iter().find(of).unwrap();
        assert_eq!((&*row[4], &*row[6]), ("1.030", "3 %"), "{row:?}");
    }
    let floor = data.noise_floor.as_ref().unwrap();
    assert_eq!(floor.measured.rows.len(), rows.len());
    for run in [&floor.first, &floor.again] {
        assert!(dir.join(run).join("result.json").exists(), "{run}");
    }
    let without = tempfile::tempdir().unwrap();
    let (_, sections) = report_of(without.path(), "noise-floor = false");
    let noise = section(&sections, "noise");
    assert!(
        noise.text[0].starts_with("Not measured"),
        "{:?}",
        noise.text
    );
    assert!(noise.tables.is_empty());
    // A repetition that ended early.
    let mut study = study_of(without.path());
    study["noise_floor_missing"] = serde_json::json!({
        "cell": { "design": "mpt", "accounts": 1_000_000 },
        "multiple": 10,
        "again": "runs/mpt/1000000/x10-again",
        "blocks": 7,
        "blocks_planned": 30,
    });
    std::fs::write(without.path().join("study.json"), study.to_string()).unwrap();
    let data = report::Data::open(&[without.path().to_owned()]).unwrap();
    let sections = report::sections(&data);
    let said = &section(&sections, "noise").text[0];
    let expected = "mpt with 1 M accounts at 10x was run once more, but ended after 7 of 30 blocks";
    assert!(said.contains(expected), "{said}");
}

/// `study.json` in a folder.
fn study_of(dir: &std::path::Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(dir.join("study.json")).unwrap()).unwrap()
}

#[test]
fn no_time_of_a_run_below_a_second_goes_unmarked() {
    let Made {
        dir,
        data,
        sections,
    } = made();
    let multiples = section(sections, "multiples");
    let mut marked = 0;
    let tables = multiples.figures.iter().zip(data.sizes());
    for (figure, size) in tables {
        let runs = data.of_size(size).flat_map(|cell| &cell.runs);
        let rows: Vec<_> = figure.table.rows.iter().zip(runs).collect();
        assert_eq!(rows.len(), figure.table.rows.len());
        for (row, run) in rows {
            let is_short = run.total_ns.iter().sum::<u64>() < 1_000_000_000;
            marked += usize::from(is_short);
            // Mean to maximum, and gas per second.
            for cell in row[3..8].iter().chain(&row[9..]) {
                assert_eq!(cell.contains('\u{2020}'), is_short, "{row:?}");
            }
        }
    }
    let all: usize = data.cells.iter().map(|cell| cell.runs.len()).sum();
    assert!((1..all).contains(&marked), "{marked} of {all}");
    for id in ["multiples", "stages", "model"] {
        let note = section(sections, id).text.last().unwrap();
        assert!(note.contains("less than a second"), "{id}: {note}");
    }
    let long = dir.join("runs/mpt/10000000/x100");
    let data = report::Data::open(&[long]).unwrap();
    let markdown = report::markdown("long", &report::sections(&data));
    assert!(!markdown.contains('\u{2020}'), "{markdown}");
}

#[test]
fn no_deviation_from_mainnet_is_left_out() {
    let sections = &made().sections;
    let workload = sections.iter().find(|it| it.id == "workload").unwrap();
    let row = &workload.tables[1].rows[0];
    assert_eq!(row[0], "slots written");
    assert!(row[3].contains("10"), "{row:?}");
}

#[test]
fn no_predicted_second_goes_to_no_term() {
    let Made { data, sections, .. } = made();
    for report in &data.models {
        let [here, there] = &report.predicted[..] else {
            panic!("{:?}", report.predicted);
        };
        for predicted in [here, there] {
            let at = &predicted.at_largest;
            let terms: f64 = at.terms().iter().map(|(_, s)| s).sum();
            assert!((terms / at.mean_s - 1.0).abs() < 1e-9, "{at:?}");
            assert!(at.hash_s > 0.0, "{}: {at:?}", report.design);
        }
        // Another CPU takes ten times as long for keccak256, and for nothing else, at whatever multiple still fits.
        let model = report.model.as_ref().unwrap();
        let at = |of: &model::Scenario| model.predict(of, 10.0).hash_s;
        match hashes_keccak256(report) {
            true => assert!(at(&there.scenario) > 3.0 * at(&here.scenario)),
            false => assert_eq!(at(&there.scenario), at(&here.scenario)),
        }
        assert_eq!(here.assumed, []);
        assert_eq!(there.assumed.len(), 2, "{:?}", there.assumed);
    }
    let model = section(sections, "model");
    let text = model.text.join(" ");
    for said in [
        "keccak256 60 ns",
        "Assumed of Samsung 990 PRO 2TB",
        "a sync takes the 125 \u{b5}s",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let predictions = model.tables.last().unwrap();
    let column = |name: &str| {
        predictions
            .columns
            .iter()
            .position(|it| it == name)
            .unwrap()
    };
    assert_eq!(predictions.rows.len(), 2 * data.models.len());
    for (rows, report) in predictions.rows.chunks(2).zip(&data.models) {
        for row in rows {
            assert_ne!(row[column("hashing")], "in CPU", "{row:?}");
        }
        // A model without a function has no use for what it takes on another CPU.
        let named = rows[1][column("device")].contains("keccak256 600 ns");
        assert_eq!(named, hashes_keccak256(report), "{:?}", rows[1]);
    }
}

fn hashes_keccak256(report: &ModelReport) -> bool {
    let mut hashing = report.model.iter().flat_map(|it| &it.hashing);
    hashing.any(|it| it.function == HashFunction::Keccak256)
}

#[test]
fn no_hashing_moves_into_the_cpu_s_time_unsaid() {
    let mut data = made().data.clone();
    let text = |data: &report::Data| section(&report::sections(data), "model").text.join(" ");
    assert!(!text(&data).contains("Among that of the CPU altogether"));
    let at = |design: &str| DESIGNS.iter().position(|it| *it == design).unwrap();
    let (mpt, layered, flat) = (at("mpt"), at("layered"), at("flat-lthash"));
    let hashing = |data: &mut report::Data, at: usize, keep: fn(HashFunction) -> bool| {
        let model = data.models[at].model.as_mut().unwrap();
        model.hashing.retain(|it| keep(it.function));
    };
    // A tier of one design, all of another, and a third one whose runs do not say what they hash.
    hashing(&mut data, layered, |it| it != HashFunction::Blake3);
    hashing(&mut data, mpt, |_| false);
    hashing(&mut data, flat, |_| false);
    for cell in &mut data.cells {
        if cell.design.name == "flat-lthash" {
            for run in &mut cell.runs {
                run.result.design.parameters = serde_json::Value::Null;
            }
        }
    }
    let said = text(&data);
    let list = "mpt (keccak256), layered (blake3), flat-lthash (whatever it is).";
    assert!(said.contains(list), "{said}");
    let sections = report::sections(&data);
    let predictions = section(&sections, "model").tables.last().unwrap();
    assert_eq!(predictions.columns[7], "hashing");
    for (at, moved) in [(mpt, true), (layered, false), (flat, true)] {
        let row = &predictions.rows[2 * at];
        assert_eq!(row[7] == "in CPU", moved, "{row:?}");
    }
}

#[test]
fn no_growth_is_shown_without_bytes_to_tell_it_from() {
    let Made { data, sections, .. } = made();
    let growth = &section(sections, "growth").figures[0].table;
    let row = |design: &str| growth.rows.iter().find(|row| row[0] == design).unwrap();
    // Its runs have live and sealed entries.
    assert!(row("layered").iter().all(|cell| cell != "not known"));
    // Its blocks write temporary entries, but its state has none: what they take is not known, nor what they leave.
    assert_eq!(row("temporary")[1..], ["not known"; 6].map(str::to_owned));
    // Nothing leaves a state without cheap tiers and expiry.
    assert_eq!(row("mpt")[2..4], ["0 B", "0 B"].map(str::to_owned));
    assert_ne!(row("mpt")[1], "0 B");
    // Stubs are permanent, and among what is live.
    assert_eq!(row("mpt-expiry")[2], "among live");
    assert_eq!(growth.rows.len(), data.designs().len());
    // A line that is not there has no name.
    let svg = &section(sections, "growth").figures[0].svg;
    for design in DESIGNS {
        let named = svg.contains(&format!(">{design}</text>"));
        assert_eq!(named, design != "temporary", "{design}");
    }
    // Rules that this version cannot read are not taken for others.
    let mut data = data.clone();
    for cell in &mut data.cells {
        if cell.design.name == "layered" {
            cell.design.parameters["temporary"]["colour"] = "green".into();
        }
    }
    let rows = rows(&report::sections(&data), "growth");
    let layered = rows.iter().find(|row| row[0] == "layered").unwrap();
    assert_eq!(layered[1..], ["not known"; 6].map(str::to_owned));
}

/// The table of a section's last figure.
fn rows(sections: &[report::Section], id: &str) -> Vec<Vec<String>> {
    let figures = &section(sections, id).figures;
    figures.last().unwrap().table.rows.clone()
}

#[test]
fn no_growth_has_other_bytes_than_an_object() {
    let Made { data, sections, .. } = made();
    let size = *data.sizes().last().unwrap();
    let grown = |heavier: fn(&mut report::CellData) -> Option<&mut report::RunData>| {
        let mut data = data.clone();
        for cell in &mut data.cells {
            for tier in heavier(cell).unwrap().result.state_after.tiers.values_mut() {
                tier.live_disk_bytes *= 2;
            }
        }
        let sections = report::sections(&data);
        (rows(&sections, "bytes"), rows(&sections, "growth"))
    };
    let before = (rows(sections, "bytes"), rows(sections, "growth"));
    assert!(data.of_size(size).all(|cell| cell.runs.len() > 1));
    assert_eq!(grown(|cell| cell.runs.first_mut()), before);
    let (of_object, growth) = grown(|cell| cell.runs.last_mut());
    assert_ne!(of_object, before.0);
    assert_ne!(growth, before.1);
}

#[test]
fn no_model_beyond_a_quarter_is_vouched_for() {
    let Made { data, sections, .. } = made();
    let mut data = data.clone();
    let text = |sections: &[report::Section]| {
        let model = sections.iter().find(|it| it.id == "model").unwrap();
        model.text.join(" ")
    };
    let before = text(sections);
    assert!(before.contains("Every model that was checked"), "{before}");
    let accuracy = data.models[0].accuracy.as_mut().unwrap();
    accuracy.held_out = Some(-0.26);
    let after = text(&report::sections(&data));
    let beyond = format!("not to be relied on: {}.", data.models[0].design);
    assert!(after.contains(&beyond), "{after}");
}

#[test]
fn runs_of_one_store_never_become_several_sizes() {
    let dir = &made().dir;
    let runs = [1, 10, 100].map(|multiple| {
        let run = format!("runs/mpt/1000000/x{multiple}");
        dir.join(run)
    });
    let data = report::Data::open(&runs).unwrap();
    assert_eq!(data.sizes(), [1_000_000]);
    assert_eq!(data.cells.len(), 1);
    assert_eq!(data.cells[0].runs.len(), 3);
    let mut run = data.cells[0].runs[0].clone();
    run.result.config = serde_json::json!({ "seed": 1 });
    assert_eq!(run.accounts(), RunConfig::ACCOUNTS, "the default");
    run.result.config = serde_json::json!({ "trace": "a.trace", "accounts": 0 });
    assert_eq!(run.accounts(), 1_000_001, "what was there");
}

#[test]
fn no_report_needs_anything_beside_it() {
    let Made { data, sections, .. } = made();
    let html = report::html(&data.title, sections);
    for needs in ["<script", "<link", "@import", "url(", "src="] {
        assert!(!html.contains(needs), "{needs}");
    }
    assert!(html.contains("made &lt;up&gt;"));
    assert!(html.contains("&lt;made &amp; up&gt;"));
    let again = report::html(&data.title, &report::sections(data));
    assert_eq!(html, again, "the same results give the same bytes");
    let markdown = report::markdown(&data.title, sections);
    for section in sections {
        assert!(markdown.contains(&format!("## {}", section.title)));
    }
}

#[test]
fn nothing_that_follows_from_the_runs_is_taken_from_another_version() {
    let dir = tempfile::tempdir().unwrap();
    let (data, sections) = report_of(dir.path(), "");
    let path = dir.path().join("study.json");
    let mut study = study_of(dir.path());
    let markdown =
        |data: &report::Data, sections: &[report::Section]| report::markdown(&data.title, sections);
    let before = markdown(&data, &sections);
    let again = || {
        let again = report::Data::open(&[dir.path().to_owned()]).unwrap();
        markdown(&again, &report::sections(&again))
    };
    // Predictions of a version that did not say what they assume.
    let whole = study.clone();
    for model in study["models"].as_array_mut().unwrap() {
        for predicted in model["predicted"].as_array_mut().unwrap() {
            predicted["largest"] = serde_json::json!(7_777);
            predicted
                .as_object_mut()
                .unwrap()
                .remove("assumed")
                .unwrap();
        }
    }
    std::fs::write(&path, study.to_string()).unwrap();
    assert_eq!(again(), before);
    study = whole;
    for cell in study["cells"].as_array_mut().unwrap() {
        cell["saturation"] = serde_json::json!(["who knows"]);
        for run in cell["runs"].as_array_mut().unwrap() {
            run.as_object_mut().unwrap().remove("point").unwrap();
        }
    }
    study["models"] = serde_json::json!({ "colour": "green" });
    std::fs::write(&path, study.to_string()).unwrap();
    assert_eq!(again(), before);
    // What no run says has to be there.
    study["cells"][0].as_object_mut().unwrap().remove("largest");
    std::fs::write(&path, study.to_string()).unwrap();
    assert!(report::Data::open(&[dir.path().to_owned()]).is_err());
}

#[test]
fn a_missing_or_damaged_result_is_never_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    report_of(dir.path(), "");
    let gone = dir.path().join("runs/mpt/1000000/x10/blocks.csv");
    std::fs::remove_file(&gone).unwrap();
    assert!(report::Data::open(&[dir.path().to_owned()]).is_err());
    let nothing = tempfile::tempdir().unwrap();
    assert!(report::Data::open(&[nothing.path().to_owned()]).is_err());
    std::fs::write(nothing.path().join("study.json"), "{}").unwrap();
    assert!(report::Data::open(&[nothing.path().to_owned()]).is_err());
}

#[test]
fn no_multiple_lacks_its_spread_or_its_bytes() {
    let mut data = made().data.clone();
    data.cells[0].runs.retain(|run| run.multiple() != 1_000);
    let sections = report::sections(&data);
    for id in ["latency", "io"] {
        let figures = &section(&sections, id).figures;
        for size in data.sizes() {
            let group = format!("{id}-{size}");
            let of_size = figures.iter().filter_map(|figure| {
                let choice = figure.choice.as_ref().unwrap();
                (choice.group == group).then_some((figure, choice))
            });
            let of_size: Vec<_> = of_size.collect();
            let answers: Vec<_> = of_size.iter().map(|(_, choice)| &*choice.answer).collect();
            assert_eq!(answers, ["1x", "10x", "100x", "1,000x"], "{group}");
            let first = of_size.iter().filter(|(_, choice)| choice.is_first);
            assert_eq!(first.count(), 1, "{group}");
            for (figure, choice) in of_size {
                let at: u32 = choice.answer.replace([',', 'x'], "").parse().unwrap();
                let there = data.of_size(size).filter(|cell| cell.at(at).is_some());
                let names: Vec<_> = there.map(|cell| &*cell.design.name).collect();
                let rows: Vec<_> = figure.table.rows.iter().map(|row| &*row[0]).collect();
                assert_eq!(rows, names, "{group} {at}");
                for name in DESIGNS.iter().filter(|name| !names.contains(name)) {
                    let missing = figure.caption.split_once("Not measured there: ").unwrap();
                    assert!(missing.1.contains(name), "{}", figure.caption);
                }
            }
        }
    }
    let html = report::html(&data.title, &sections);
    assert_eq!(html.matches("<fieldset").count(), 4);
    assert_eq!(html.matches(" checked>").count(), 4);
}
