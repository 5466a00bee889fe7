//! What program ran: facts that `build.rs` has found.

use super::Program;

impl Program {
    /// This program.
    pub fn this() -> Self {
        let fact = |value: Option<&str>| value.filter(|it| !it.is_empty()).map(str::to_owned);
        let list = |value: Option<&str>| -> Vec<String> {
            let names = value.unwrap_or_default().split_terminator(',');
            names.map(str::to_owned).collect()
        };
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
            opt_level: fact(option_env!("THINSTATE_OPT_LEVEL")),
            lto: fact(option_env!("THINSTATE_LTO")),
            debug_assertions: Some(cfg!(debug_assertions)),
            rustflags: option_env!("THINSTATE_RUSTFLAGS").map(str::to_owned),
            target_cpu: fact(option_env!("THINSTATE_TARGET_CPU")),
            target_features: list(option_env!("THINSTATE_TARGET_FEATURES")),
            target: option_env!("THINSTATE_TARGET")
                .unwrap_or_default()
                .to_owned(),
            features: list(option_env!("THINSTATE_FEATURES")),
            lockfile_sha256: fact(option_env!("THINSTATE_LOCKFILE_SHA256")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_instruction_of_the_build_is_left_out() {
        let this = Program::this();
        let compiled = [
            ("sse2", cfg!(target_feature = "sse2")),
            ("avx2", cfg!(target_feature = "avx2")),
            ("avx512f", cfg!(target_feature = "avx512f")),
            ("neon", cfg!(target_feature = "neon")),
        ];
        for (name, is_on) in compiled {
            let is_said = this.target_features.iter().any(|it| it == name);
            assert_eq!(is_said, is_on, "{name}: {:?}", this.target_features);
        }
        let flags = this.rustflags.expect("they are known, if only to be none");
        let cpu = this.target_cpu.expect("it is known");
        assert_eq!(cpu != "default", flags.contains("target-cpu"), "{flags}");
    }

    #[test]
    fn no_fact_of_the_build_is_half() {
        let this = Program::this();
        assert!(this.rustc.is_some_and(|rustc| rustc.starts_with("rustc ")));
        assert!(this.target.contains('-'));
        assert_eq!(this.commit.is_some(), this.dirty.is_some());
        assert!(this.commit.is_none_or(|commit| commit.len() == 40));
        assert!(this.lockfile_sha256.is_none_or(|sum| sum.len() == 64));
        assert!(this.opt_level.is_some_and(|level| level.len() == 1));
        assert!(this.lto.is_some() && this.rustflags.is_some());
        assert_eq!(this.debug_assertions, Some(cfg!(debug_assertions)));
        assert!(this.features.iter().all(|feature| !feature.is_empty()));
    }
}
