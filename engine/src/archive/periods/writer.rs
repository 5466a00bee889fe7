//! Writing a segment, page after page.

use super::{
    archive::Shared,
    error::PeriodArchiveError,
    folder::hold,
    layout::{Footer, Header, PageHeader, encode_node},
    resume::Kept,
};
use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{FileExt, PermissionsExt},
    path::PathBuf,
    sync::Arc,
};
use thinstate_formats::{
    NodeHasher,
    counted::{Leaf, LeafBytes, Node, check_order, join_pages, page_of},
};

/// Owner, group and others may read, nobody write.
const READ_ONLY: u32 = 0o444;

/// Writes the segment of a period. Dropped before [`Self::finish`], it leaves a partial segment, which
/// a later writer continues.
#[derive(Debug)]
pub struct PeriodWriter {
    shared: Arc<Shared>,
    header: Header,
    file: File,
    partial: PathBuf,
    kept: Kept,
    poisoned: bool,
}

impl PeriodWriter {
    pub(super) fn open(
        shared: Arc<Shared>,
        header: Header,
        pages_done: u64,
    ) -> Result<Self, PeriodArchiveError> {
        let partial = shared.folder.partial(header.period);
        let expected = header.pages();
        if pages_done > expected {
            return Err(PeriodArchiveError::PageCount {
                path: partial,
                expected,
                got: pages_done,
            });
        }
        let io = |operation| PeriodArchiveError::io(operation, &partial);
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&partial)
            .map_err(io("open"))?;
        hold(&file, &partial)?;
        let front = shared.front(&header, pages_done)?;
        if let Some(front) = &front {
            // What lies behind it is cut off below.
            file.write_all_at(front, 0).map_err(io("write"))?;
        }
        let kept = Kept::read(&file, &partial, &header, pages_done)?;
        file.set_len(kept.end).map_err(io("cut"))?;
        if front.is_some() {
            shared.folder.sync()?;
        }
        Ok(Self {
            shared,
            header,
            file,
            partial,
            kept,
            poisoned: false,
        })
    }

    /// Pages that it has.
    pub fn pages_done(&self) -> u64 {
        self.kept.entries.len() as u64
    }

    /// Appends the next page: its leaves, ascending, and the root of their tree.
    pub fn append_page(&mut self, leaves: &[Leaf], node: Node) -> Result<(), PeriodArchiveError> {
        self.check_open()?;
        self.check_page(leaves, node)?;
        let mut bytes = vec![0; PageHeader::BYTES];
        for leaf in leaves {
            bytes.extend_from_slice(LeafBytes::new(leaf).as_slice());
        }
        let (front, page) = bytes.split_at_mut(PageHeader::BYTES);
        let header = PageHeader {
            page: self.pages_done() as u32,
            leaves: leaves.len() as u32,
            bytes: self.page_len(page.len())?,
            root: node.hash,
            crc: crc32fast::hash(page),
        };
        front.copy_from_slice(&header.encode());
        self.write(&bytes, self.kept.end)?;
        self.kept.push(&header);
        Ok(())
    }

    /// Makes all pages appended so far durable.
    pub fn sync(&mut self) -> Result<(), PeriodArchiveError> {
        self.check_open()?;
        let synced = self.file.sync_data();
        self.poisoned(synced, "sync")
    }

    /// Ends the segment, makes it durable under its name, and adds it to the archive. Gives the root of
    /// the period's tree.
    pub fn finish(mut self) -> Result<Node, PeriodArchiveError> {
        self.check_open()?;
        let (expected, got) = (self.header.pages(), self.pages_done());
        if got != expected {
            return Err(PeriodArchiveError::PageCount {
                path: self.partial,
                expected,
                got,
            });
        }
        let footer = self.write_tail()?;
        let synced = self.file.sync_all();
        self.poisoned(synced, "sync")?;
        self.publish()?;
        Ok(footer.root)
    }

    /// Writes directory, levels and footer.
    fn write_tail(&mut self) -> Result<Footer, PeriodArchiveError> {
        let nodes = core::mem::take(&mut self.kept.nodes);
        let levels = join_pages(&NodeHasher::new(self.header.hash), nodes)
            .expect("there are 2^bits pages, none of which has more than 2^32 leaves");
        let directory: Vec<u8> = self
            .kept
            .entries
            .iter()
            .flat_map(|entry| entry.encode())
            .collect();
        let directory_at = self.kept.end;
        self.write(&directory, directory_at)?;
        let (mut at, mut crc) = (
            directory_at + directory.len() as u64,
            crc32fast::Hasher::new(),
        );
        for level in levels.iter().rev() {
            let bytes: Vec<u8> = level.iter().flat_map(encode_node).collect();
            self.write(&bytes, at)?;
            crc.update(&bytes);
            at += bytes.len() as u64;
        }
        let footer = Footer {
            header: self.header,
            root: levels[levels.len() - 1][0],
            directory_at,
            directory_crc: crc32fast::hash(&directory),
            levels_crc: crc.finalize(),
        };
        self.write(&footer.encode(), footer.offset())?;
        Ok(footer)
    }

    /// Gives the segment its name.
    fn publish(&self) -> Result<(), PeriodArchiveError> {
        let path = self.shared.folder.segment(self.header.period);
        fs::rename(&self.partial, &path).map_err(PeriodArchiveError::io("put in place", &path))?;
        self.file
            .set_permissions(Permissions::from_mode(READ_ONLY))
            .map_err(PeriodArchiveError::io("make read-only", &path))?;
        self.shared.folder.sync()?;
        self.shared.add(self.header.period)
    }

    /// The leaves must be those of the next page, and as many as its node says.
    fn check_page(&self, leaves: &[Leaf], node: Node) -> Result<(), PeriodArchiveError> {
        let page = self.pages_done();
        if page == self.header.pages() {
            return Err(PeriodArchiveError::PageCount {
                path: self.partial.clone(),
                expected: page,
                got: page + 1,
            });
        }
        check_order(leaves).map_err(|source| PeriodArchiveError::PageOrder { page, source })?;
        let strays = |leaf: &&Leaf| page_of(&leaf.location, self.header.page_bits) != page;
        if let Some(&Leaf { location, .. }) = leaves.iter().find(strays) {
            return Err(PeriodArchiveError::PagePrefix { page, location });
        }
        if node.count != leaves.len() as u64 || (node.is_empty() && node != Node::EMPTY) {
            return Err(PeriodArchiveError::PageNode {
                page,
                leaves: leaves.len() as u64,
                got: node.count,
            });
        }
        Ok(())
    }

    fn page_len(&self, len: usize) -> Result<u32, PeriodArchiveError> {
        u32::try_from(len).map_err(|_| PeriodArchiveError::PageTooLarge {
            page: self.pages_done(),
            limit: u32::MAX.into(),
            got: len as u64,
        })
    }

    fn check_open(&self) -> Result<(), PeriodArchiveError> {
        if self.poisoned {
            return Err(PeriodArchiveError::Poisoned {
                path: self.partial.clone(),
            });
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], at: u64) -> Result<(), PeriodArchiveError> {
        let written = self.file.write_all_at(bytes, at);
        self.poisoned(written, "write")
    }

    /// After a failure nothing more is written: what the file has is not known.
    fn poisoned(
        &mut self,
        outcome: io::Result<()>,
        operation: &'static str,
    ) -> Result<(), PeriodArchiveError> {
        self.poisoned |= outcome.is_err();
        outcome.map_err(PeriodArchiveError::io(operation, &self.partial))
    }
}
