//! From a design's name or file to the design.

use super::{
    DesignError, DesignKind, DesignSpec, DesignStore, SpecError, StateDesign,
    flat_lthash::FlatLtHash, layered::LayeredDesign, permanent::PermanentDesign,
};
use std::path::{Path, PathBuf};

/// The designs that are built in: name and file.
const BUILTIN: &[(&str, &str)] = &[
    ("mpt", include_str!("../../../data/designs/mpt.toml")),
    (
        "mpt-expiry",
        include_str!("../../../data/designs/mpt-expiry.toml"),
    ),
    (
        "flat-lthash",
        include_str!("../../../data/designs/flat-lthash.toml"),
    ),
    (
        "temporary",
        include_str!("../../../data/designs/temporary.toml"),
    ),
    ("utxo", include_str!("../../../data/designs/utxo.toml")),
    (
        "layered",
        include_str!("../../../data/designs/layered.toml"),
    ),
];

/// A design cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Neither a design that is built in, nor a file. Take one of the names, or check the path.
    #[error("no design {name:?}: expected one of {}, or the path of a design's file", names().join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is in the file cannot be carried out. The message says what and where.
    #[error("{path}")]
    Spec {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SpecError,
    },
}

/// Names of the designs that are built in.
pub fn names() -> Vec<&'static str> {
    BUILTIN.iter().map(|(name, _)| *name).collect()
}

/// The design that is built in under this name.
pub fn builtin(name: &str) -> Option<DesignSpec> {
    let (_, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
    Some(DesignSpec::parse(text).expect("the tests parse each design that is built in"))
}

/// The design with this name, or in the file at this path.
pub fn load(name_or_path: &str) -> Result<DesignSpec, LoadError> {
    if let Some(spec) = builtin(name_or_path) {
        return Ok(spec);
    }
    let path = Path::new(name_or_path);
    let text = std::fs::read_to_string(path).map_err(|source| {
        let is_name = !name_or_path.contains(['/', '.']);
        match source.kind() {
            std::io::ErrorKind::NotFound if is_name => LoadError::Unknown {
                name: name_or_path.to_owned(),
            },
            _ => LoadError::Io {
                path: path.to_owned(),
                source,
            },
        }
    })?;
    DesignSpec::parse(&text).map_err(|source| LoadError::Spec {
        path: path.to_owned(),
        source,
    })
}

/// Opens the store of a design, which may be new and empty.
pub fn open(spec: &DesignSpec, store: &DesignStore) -> Result<Box<dyn StateDesign>, DesignError> {
    spec.check()
        .map_err(DesignError::store(format!("design {}", spec.name)))?;
    Ok(match spec.kind {
        DesignKind::Permanent => Box::new(PermanentDesign::open(spec, store)?),
        DesignKind::FlatLthash => Box::new(FlatLtHash::open(spec, store)?),
        DesignKind::Layered => Box::new(LayeredDesign::open(spec, store)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_design_that_is_built_in_parses_and_has_the_name_of_its_file() {
        for name in names() {
            let spec = builtin(name).expect("it is built in");
            assert_eq!(spec.name, name);
            assert!(!spec.summary.is_empty());
            assert_eq!(load(name).expect("by name"), spec);
        }
    }

    #[test]
    fn no_design_comes_of_a_name_that_is_not_known() {
        assert!(builtin("mtp").is_none());
        let error = load("mtp").expect_err("no such design");
        assert!(matches!(error, LoadError::Unknown { .. }), "{error}");
        assert!(error.to_string().contains("mpt-expiry"), "{error}");
        let error = load("./absent.toml").expect_err("no such file");
        assert!(matches!(error, LoadError::Io { .. }), "{error}");
    }

    #[test]
    fn no_design_has_tables_that_its_kind_has_no_use_for() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("design.toml");
        let path = path.to_str().expect("UTF-8");
        let flat = "name = 'f'\nsummary = 's'\nkind = 'flat-lthash'\n";
        let trie = "name = 'p'\nsummary = 's'\nkind = 'permanent'\n";
        for (text, what) in [
            (format!("{flat}[expiry]\nafter-blocks = 10\n"), "expiry"),
            (format!("{flat}[tiers]\nallowance = 'temporary'\n"), "cheap"),
            (
                format!("{trie}archive = true\n[expiry]\nafter-blocks = 10\ncap-per-block = 8\n"),
                "cap-per-block",
            ),
            (format!("{trie}[expiry]\nafter-blocks = 10\n"), "archive"),
            (format!("{flat}colour = 'red'\n"), "colour"),
        ] {
            std::fs::write(path, text).expect("write");
            let error = load(path).expect_err("refused");
            let LoadError::Spec { source, .. } = &error else {
                panic!("{error}");
            };
            assert!(source.to_string().contains(what), "{source}");
        }
    }
}
