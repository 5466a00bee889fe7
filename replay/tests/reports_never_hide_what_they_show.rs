//! A report as a reader sees it, laid out by a browser, where there is one: on a screen nothing overlaps, sticks out or is empty,
//! and on paper nothing is missing.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "support/browser.rs"]
mod browser;
#[expect(dead_code, reason = "each test file uses a part")]
#[path = "support/made_up_study.rs"]
mod made_up_study;
#[expect(dead_code, reason = "each test file uses a part")]
#[path = "support/runs.rs"]
mod runs;

use made_up_study::{Made, made};
use thinstate_replay::report;

#[test]
fn no_label_overlaps_and_no_drawing_is_empty() {
    let Some(browser) = browser::Browser::find() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let Made { data, sections, .. } = made();
    let html = report::html(&data.title, sections);
    for (width, dark) in [(1_000, false), (1_000, true), (420, false)] {
        let found = browser.look_at(&html, dir.path(), width, dark);
        let list = |name: &str| found[name].as_array().unwrap().clone();
        let drawings: usize = sections.iter().map(|section| section.figures.len()).sum();
        assert_eq!(found["drawings"].as_u64().unwrap() as usize, drawings);
        assert!(found["marks"].as_u64().unwrap() > 10 * drawings as u64);
        // Spread of block work and bytes for gas, at each of two sizes.
        assert_eq!(found["choices"], 4);
        for fault in ["unpicked", "empty", "overlaps", "outside", "wide"] {
            assert_eq!(
                list(fault),
                Vec::<serde_json::Value>::new(),
                "{fault}, {width} wide"
            );
        }
        let picture = browser.picture(&html, dir.path(), width, dark);
        assert!(picture.len() > 20_000, "{} bytes", picture.len());
    }
}

#[test]
fn print_never_leaves_anything_out() {
    let Some(browser) = browser::Browser::find() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let Made { data, sections, .. } = made();
    let html = report::html(&data.title, sections);
    for dark in [false, true] {
        let found = browser.look_at_print(&html, dir.path(), dark);
        assert!(
            found["texts"].as_u64().unwrap() > 1_000,
            "{}",
            found["texts"]
        );
        for fault in ["hidden", "controls", "wide", "colours"] {
            assert_eq!(found[fault], serde_json::json!([]), "{fault}, dark: {dark}");
        }
    }
    let pdf = browser.pdf(&html, dir.path());
    assert!(pdf.starts_with(b"%PDF-"));
    let text = String::from_utf8_lossy(&pdf);
    let pages = text.matches("/Type /Page\n").count();
    // A drawing takes a third of a page, and its table more.
    let drawings: usize = sections.iter().map(|section| section.figures.len()).sum();
    assert!(
        pages > drawings / 3,
        "{pages} pages for {drawings} drawings"
    );
    for section in sections {
        let heading = format!("/Title ({})", section.title);
        assert!(text.contains(&heading), "{heading} is on no page");
    }
}
