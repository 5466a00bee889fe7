//! Reports: one HTML file, or Markdown, from results alone.
//!
//! [`Data::open`] reads a study's folder, or folders of single runs, which then stand beside each other by design
//! and state size. [`sections()`] turns it into sections of text, figures and tables; [`html()`] and [`markdown()`] write
//! them down. Nothing is measured here, and nothing is drawn whose numbers do not stand in a table below it.
//!
//! The HTML file is whole by itself: inline SVG and CSS, no script, no font, no network. Where a figure is there for each
//! gas multiple, the reader picks one; print has them all. It follows the reader's
//! light or dark setting and prints in black on white. Series are told apart by colour, dash and marker.

mod data;
mod error;
mod format;
mod html;
mod markdown;
mod plot;
mod section;
mod sections;

pub use data::{CellData, Data, RunData};
pub use error::ReportError;
pub use html::html;
pub use markdown::markdown;
pub use section::{Choice, Figure, Section, Table};
pub use sections::sections;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Writes a file whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".partial");
    let aside = PathBuf::from(aside);
    let mut file = File::create(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, path)
}
