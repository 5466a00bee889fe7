//! Profiles of devices: those of `data/devices`, and files.

use crate::measure::DeviceProfile;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const BUILTIN: &[(&str, &str)] = &[
    (
        "micron-7450-pro-u3",
        include_str!("../../../../data/devices/micron-7450-pro-u3.toml"),
    ),
    (
        "samsung-980-pro-2tb",
        include_str!("../../../../data/devices/samsung-980-pro-2tb.toml"),
    ),
    (
        "samsung-990-pro-2tb",
        include_str!("../../../../data/devices/samsung-990-pro-2tb.toml"),
    ),
    (
        "samsung-pm9a3-u2",
        include_str!("../../../../data/devices/samsung-pm9a3-u2.toml"),
    ),
    (
        "solidigm-d7-p5500",
        include_str!("../../../../data/devices/solidigm-d7-p5500.toml"),
    ),
    (
        "solidigm-d7-p5810",
        include_str!("../../../../data/devices/solidigm-d7-p5810.toml"),
    ),
    (
        "wd-black-sn850x-2tb",
        include_str!("../../../../data/devices/wd-black-sn850x-2tb.toml"),
    ),
];

/// A device's profile cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ProfileLoadError {
    /// There is no such file, and no profile of that name.
    #[error("{name}: expected a file, or one of {}", names().join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Os {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no profile. `thinstate device -o` writes one.
    #[error("{}: expected a device's profile", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        #[source]
        source: toml::de::Error,
    },
}

/// Names of the profiles that are built in.
pub fn names() -> Vec<&'static str> {
    BUILTIN.iter().map(|(name, _)| *name).collect()
}

/// The profile of that name, or in that file.
pub fn load(name: &str) -> Result<DeviceProfile, ProfileLoadError> {
    let malformed = |path: &Path| {
        let path = path.to_owned();
        move |source| ProfileLoadError::Malformed { path, source }
    };
    if let Some((_, text)) = BUILTIN.iter().find(|(builtin, _)| *builtin == name) {
        return toml::from_str(text).map_err(malformed(Path::new(name)));
    }
    let path = Path::new(name);
    let text = fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ProfileLoadError::Unknown {
            name: name.to_owned(),
        },
        _ => ProfileLoadError::Os {
            path: path.to_owned(),
            source,
        },
    })?;
    toml::from_str(&text).map_err(malformed(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_profile_that_is_built_in_lacks_its_source() {
        for name in names() {
            let profile = load(name).expect("it parses");
            assert!(profile.source.contains("http"), "{name}");
            assert!(profile.read_iops_max.is_some(), "{name}");
        }
        assert!(matches!(
            load("no-such-drive"),
            Err(ProfileLoadError::Unknown { .. })
        ));
    }
}
