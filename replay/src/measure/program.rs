//! What program ran: facts that `build.rs` has found.

use super::Program;

impl Program {
    /// This program.
    pub fn this() -> Self {
        let fact = |value: Option<&str>| value.filter(|it| !it.is_empty()).map(str::to_owned);
        let features = option_env!("THINSTATE_FEATURES").unwrap_or_default();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: fact(option_env!("THINSTATE_COMMIT")),
            dirty: fact(option_env!("THINSTATE_DIRTY")).map(|it| it == "true"),
            rustc: fact(option_env!("THINSTATE_RUSTC")),
            build_profile: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            }
            .to_owned(),
            target: option_env!("THINSTATE_TARGET")
                .unwrap_or_default()
                .to_owned(),
            features: features.split_terminator(',').map(str::to_owned).collect(),
            lockfile_sha256: fact(option_env!("THINSTATE_LOCKFILE_SHA256")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_fact_of_the_build_is_half() {
        let this = Program::this();
        assert!(this.rustc.is_some_and(|rustc| rustc.starts_with("rustc ")));
        assert!(this.target.contains('-'));
        assert_eq!(this.commit.is_some(), this.dirty.is_some());
        assert!(this.commit.is_none_or(|commit| commit.len() == 40));
        assert!(this.lockfile_sha256.is_none_or(|sum| sum.len() == 64));
        assert!(this.features.iter().all(|feature| !feature.is_empty()));
    }
}
