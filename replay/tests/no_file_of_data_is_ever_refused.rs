//! Every study, design, device and profile in `data/` is one that `thinstate` takes; a study that names what is not
//! there is refused before anything is made.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use assert_cmd::Command;
use std::{fs, path::PathBuf};
use thinstate_replay::{
    demo,
    design::{self, DesignSpec},
    measure::{DeviceProfile, device},
    profile::Profile,
    study::StudySpec,
};

/// The files of a folder of `data/`: names without `.toml`, and paths.
fn files(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = format!("{}/../data/{folder}", env!("CARGO_MANIFEST_DIR"));
    let paths = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let named = paths.map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        (name.to_owned(), path)
    });
    let files: Vec<_> = named.collect();
    assert!(!files.is_empty());
    files
}

#[test]
fn no_study_is_refused() {
    let measured = DeviceProfile {
        name: "measured".to_owned(),
        ..DeviceProfile::default()
    };
    for (name, path) in files("studies") {
        let text = fs::read_to_string(&path).unwrap();
        // As `thinstate study` does before it begins.
        let spec = StudySpec::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        spec.check_named()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let scenarios = spec.scenarios(Some(&measured)).unwrap();
        assert_eq!(scenarios.len(), spec.predict.len(), "{name}");
        assert_eq!(spec.name, name);
        // What is held out has to be measured, or nothing is checked.
        if let Some(held_out) = spec.held_out {
            assert!(spec.accounts.contains(&held_out.accounts), "{name}");
            assert!(spec.multiples.contains(&held_out.multiple), "{name}");
        }
    }
}

#[test]
fn no_design_is_refused_or_unknown_by_its_name() {
    for (name, path) in files("designs") {
        let text = fs::read_to_string(&path).unwrap();
        let spec = DesignSpec::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(spec.name, name);
        let by_name = design::load(&name).unwrap();
        let by_path = design::load(path.to_str().unwrap()).unwrap();
        assert_eq!(format!("{by_name:?}"), format!("{spec:?}"));
        assert_eq!(format!("{by_path:?}"), format!("{spec:?}"));
    }
}

#[test]
fn no_device_is_refused_or_unknown_by_its_name() {
    for (name, path) in files("devices") {
        let by_path = device::load(path.to_str().unwrap()).unwrap();
        assert_eq!(device::load(&name).unwrap(), by_path, "{name}");
        assert!(!by_path.source.is_empty(), "{name}");
    }
}

#[test]
fn no_profile_is_refused() {
    for (name, path) in files("profiles") {
        let of_demo = demo::generate::Profile::load(&path).is_ok();
        let of_replays = Profile::load(&path).is_ok();
        assert_eq!(
            (of_demo, of_replays),
            (name == "demo", name != "demo"),
            "{name}"
        );
    }
}

#[test]
fn no_study_that_names_what_is_not_there_is_begun() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("study.toml"), dir.path().join("out"));
    let least = "name = 'least'\naccounts = [1000]\nmultiples = [1]\n";
    let named = [
        ("designs = ['mpt', 'mtp']\n", "mtp"),
        (
            "designs = ['mpt']\nprofile = 'mainnet-1926'\n",
            "mainnet-1926",
        ),
    ];
    for (fields, word) in named {
        fs::write(&file, format!("{least}{fields}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_thinstate"));
        let command = command.args(["study", "--quiet", "--out"]);
        let output = command.arg(&out).arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(word), "{said}");
        assert!(!out.exists(), "{word}");
    }
}
