//! An export as JSON lines: a record, with its kind in `type`, on each line.

use super::{Exporter, Record};
use std::io::{self, Write};

/// Writes each record as a line of JSON.
#[derive(Debug)]
pub struct JsonLines<W>(
    /// Where the lines go; should be buffered.
    pub W,
);

impl<W: Write> Exporter for JsonLines<W> {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, record)?;
        self.0.write_all(b"\n")
    }
}
