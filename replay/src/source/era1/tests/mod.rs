//! Tests of the reader as a whole: mainnet's files, files written here, and their corruptions.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod bodies;
mod chain;
mod corruption;
mod inconsistent;
mod mainnet;
mod reading;
mod writer;

/// Mainnet's data, or `None` with a message on stderr where there is none.
fn mainnet_folder(name: &str) -> Option<std::path::PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/mainnet");
    let root = std::env::var("THINSTATE_MAINNET").unwrap_or_else(|_| default.to_owned());
    let folder = std::path::Path::new(&root).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "skipped: no folder {}; set THINSTATE_MAINNET",
        folder.display()
    );
    None
}
