//! What commands print: data to stdout, status to stderr.
//!
//! Who reads stdout may have read enough and close the pipe, as `thinstate ... | head` does. What a command does
//! beside printing (files, checks, its exit status) does not depend on that: what it prints from then on goes
//! nowhere, without a word. The same holds for stderr.

use core::{
    fmt::Arguments,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};
use std::io::{self, Write};

/// Whether the reader of stdout has closed the pipe.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Stdout, or nothing once its reader has closed the pipe. Other errors, such as a full disk, stay errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if CLOSED.load(Relaxed) {
            return Ok(bytes.len());
        }
        let written = io::stdout().write(bytes);
        unless_closed(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if CLOSED.load(Relaxed) {
            return Ok(());
        }
        unless_closed(io::stdout().flush(), ())
    }
}

/// The result, with `otherwise` in place of a pipe that was closed.
fn unless_closed<T>(result: io::Result<T>, otherwise: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            CLOSED.store(true, Relaxed);
            Ok(otherwise)
        }
        result => result,
    }
}

/// A line of status, for the macro of that name.
pub(super) fn status(line: Arguments<'_>) {
    // Nobody reads it: there is nobody to be told so.
    let _ = writeln!(io::stderr(), "{line}");
}
