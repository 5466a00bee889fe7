//! Facts of the build for results: commit, compiler and its flags, target, profile, features, `Cargo.lock`.
//!
//! Without git, or without a checkout (a tarball), there is no commit; nothing fails. It runs again when a source, the lock file
//! or the commit at hand changes, so that the facts are those of what is compiled.

use sha2::{Digest as _, Sha256};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let root = package.parent().unwrap_or(&package).to_owned();
    for source in [
        "replay/src",
        "replay/build.rs",
        "engine/src",
        "formats/src",
        "Cargo.toml",
    ] {
        watch(&root.join(source));
    }
    fact("RUSTC", rustc());
    fact("TARGET", env::var("TARGET").ok());
    let flags = rustflags();
    fact("TARGET_CPU", Some(target_cpu(&flags)));
    fact("RUSTFLAGS", Some(flags.join(" ")));
    fact("TARGET_FEATURES", env::var("CARGO_CFG_TARGET_FEATURE").ok());
    fact("OPT_LEVEL", env::var("OPT_LEVEL").ok());
    fact("LTO", Some(lto(&root.join("Cargo.toml"), &flags)));
    fact("FEATURES", Some(features()));
    fact("LOCKFILE_SHA256", lockfile(&root.join("Cargo.lock")));
    let commit = commit(&root);
    let dirty = commit.as_ref().and_then(|_| dirty(&root));
    fact("COMMIT", commit);
    fact("DIRTY", dirty);
}

/// Puts a fact where `option_env!` finds it; empty where it is not known.
fn fact(name: &str, value: Option<String>) {
    println!(
        "cargo::rustc-env=THINSTATE_{name}={}",
        value.unwrap_or_default()
    );
}

/// Runs again when this changes. What is not there would make it run every time.
fn watch(path: &Path) {
    if path.exists() {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// What a command says on stdout, where it succeeds.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|it| it.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned())
}

fn rustc() -> Option<String> {
    output(Command::new(env::var_os("RUSTC")?).arg("--version"))
}

/// Flags that cargo passes on to the compiler, from the environment or from its configuration.
fn rustflags() -> Vec<String> {
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_RUSTFLAGS",
    ] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    // Facts are lines.
    let flags = flags.split('\x1f').map(|flag| flag.replace('\n', " "));
    flags.filter(|flag| !flag.is_empty()).collect()
}

/// The value of the last `-C NAME=VALUE` among flags, with or without a space.
fn codegen(flags: &[String], name: &str) -> Option<String> {
    let value = |flag: &str| {
        let flag = flag.strip_prefix("-C").unwrap_or(flag);
        let flag = flag.strip_prefix("--codegen=").unwrap_or(flag);
        let value = flag.trim_start().strip_prefix(name)?.strip_prefix('=')?;
        Some(value.to_owned())
    };
    flags.iter().rev().find_map(|flag| value(flag))
}

/// The CPU that code was made for; `default` is the target's own.
fn target_cpu(flags: &[String]) -> String {
    codegen(flags, "target-cpu").unwrap_or_else(|| "default".to_owned())
}

/// How far optimization goes at link time. Cargo does not tell build scripts: the flags say it, or the environment, or
/// the profile in the workspace's `Cargo.toml`; `default` where none does.
fn lto(manifest: &Path, flags: &[String]) -> String {
    let profile = profile();
    let name = format!(
        "CARGO_PROFILE_{}_LTO",
        profile.to_uppercase().replace('-', "_")
    );
    println!("cargo::rerun-if-env-changed={name}");
    let of_file = || {
        let text = fs::read_to_string(manifest).ok()?;
        let section = format!("[profile.{profile}]");
        let mut lines = text
            .lines()
            .map(str::trim)
            .skip_while(|line| *line != section);
        lines.next()?;
        let mut fields = lines.take_while(|line| !line.starts_with('['));
        let value =
            fields.find_map(|line| line.strip_prefix("lto")?.trim_start().strip_prefix('='))?;
        Some(value.trim().trim_matches('"').to_owned())
    };
    codegen(flags, "lto")
        .or_else(|| env::var(name).ok())
        .or_else(of_file)
        .unwrap_or_else(|| "default".to_owned())
}

/// The profile, by the folder that its files go to: `TARGET/PROFILE/build/PACKAGE/out`.
fn profile() -> String {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let folder = out.ancestors().nth(3).and_then(Path::file_name);
    match folder.unwrap_or_default().to_string_lossy().as_ref() {
        "debug" => "dev".to_owned(),
        name => name.to_owned(),
    }
}

/// Features of the package, in the spelling of `Cargo.toml`.
fn features() -> String {
    let names = env::vars().filter_map(|(name, _)| {
        let feature = name.strip_prefix("CARGO_FEATURE_")?;
        Some(feature.to_lowercase().replace('_', "-"))
    });
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names.join(",")
}

fn lockfile(path: &Path) -> Option<String> {
    watch(path);
    let digest = Sha256::digest(fs::read(path).ok()?);
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    output(Command::new("git").arg("-C").arg(root).args(arguments))
}

/// The commit, where the root of the sources is the root of a checkout, and not a folder within some other one.
fn commit(root: &Path) -> Option<String> {
    let top = git(root, &["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != root.canonicalize().ok()? {
        return None;
    }
    // Of these, what changes with each commit depends on how the repository keeps its references.
    let mut names = ["HEAD", "logs/HEAD", "packed-refs"]
        .map(str::to_owned)
        .to_vec();
    names.extend(git(root, &["symbolic-ref", "--quiet", "HEAD"]));
    for name in names {
        if let Some(path) = git(root, &["rev-parse", "--git-path", &name]) {
            watch(&root.join(path));
        }
    }
    git(root, &["rev-parse", "HEAD"])
}

/// Whether a file that git knows differs from the commit.
fn dirty(root: &Path) -> Option<String> {
    let changes = git(root, &["status", "--porcelain", "--untracked-files=no"])?;
    Some((!changes.is_empty()).to_string())
}
