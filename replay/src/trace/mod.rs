//! Trace files: written while blocks are executed, read when they are replayed.
//!
//! The bytes are specified in [`thinstate_formats::trace`]; here they meet the disk.
//!
//! - [`TraceWriter`] appends one frame for each block to `FILE.partial` and gives the file its name once
//!   it is whole and on disk. A file under its own name is therefore finished, or was damaged later.
//! - [`TraceReader`] opens a finished file and reads any block of it by number, from any thread.
//!   [`TraceReader::recover`] opens what a killed writer left and says where it stops being good.
//! - [`BlockRecorder`] makes the trace of a block while it executes; see [`record_block`].
//! - [`TraceInfo`] counts what a trace holds, for `thinstate trace --info`.
//!
//! # What a power cut leaves
//!
//! Frames are written without a sync between them, so `FILE.partial` may end anywhere after a power cut,
//! and what was written last may hold zeros. Each frame's checksums tell which of them are whole;
//! recovery keeps those before the first that is not. [`TraceWriter::finish`] syncs the file, renames
//! it, and syncs the directory: after it returned, the file is there whole.
//!
//! # Cost
//!
//! A block costs one write, or one read. Opening reads header, footer and index, 16 bytes a block.
//! Recovery reads every byte once, and unpacks nothing.

mod error;
mod info;
mod reader;
mod record;
mod recover;
mod writer;

pub use error::TraceFileError;
pub use info::{AccountCounts, CodeCounts, SlotCounts, TraceInfo};
pub use reader::{Blocks, TraceReader};
pub use record::{
    BlockRecorder, RecordError, Recorded, RootCheck, STRUCT_WORDS, record_block, record_genesis,
    record_witness,
};
pub use recover::Recovery;
pub use writer::{TraceWriter, partial_path};
