//! The directory on disk: the root, which names the chunks of all tables, and the chunks.
//!
//! ```text
//! root    magic "TSRT", version (1 byte), tables (1 byte), 0 (2 bytes), generation (8 bytes);
//!         for each table: chunks (4 bytes); for each chunk: varint length of its first key, the
//!         key, extent (12 bytes)
//! chunk   magic "TSDC", version (1 byte), table (1 byte), pages (2 bytes), generation (8 bytes);
//!         for each page: varint bytes of the separator shared with the one before, varint further
//!         bytes, those bytes, page number (4 bytes), entries (2 bytes), varint length of the
//!         filter, filter, varint number of extents, extents (12 bytes each)
//! ```
//!
//! Both lie in extents, whose checksums stand in what refers to them. A table without pages has no
//! chunk.

use super::super::Table;
use super::bytes::{Malformed, Parsed, Reader, put_varint, shared_len};
use super::extent::Extent;
use super::ids::PageId;
use super::tree::{CHUNK_PAGES_MAX, Leaves};
use std::sync::Arc;

const ROOT_MAGIC: [u8; 4] = *b"TSRT";
const CHUNK_MAGIC: [u8; 4] = *b"TSDC";
const VERSION: u8 = 1;

/// A chunk as the root names it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) first: Vec<u8>,
    pub(super) home: Extent,
}

/// `tables` are the chunks of each table. One without a home has no pages.
pub(super) fn encode_root(tables: &[Vec<Arc<Leaves>>], generation: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&ROOT_MAGIC);
    bytes.extend_from_slice(&[VERSION, Table::ALL.len() as u8, 0, 0]);
    bytes.extend_from_slice(&generation.to_le_bytes());
    for chunks in tables {
        let is_empty = chunks.iter().all(|leaves| leaves.home == Extent::NONE);
        let chunks = if is_empty { &[] } else { chunks.as_slice() };
        bytes.extend_from_slice(&(chunks.len() as u32).to_le_bytes());
        for leaves in chunks {
            let first = leaves.separators.get(0);
            put_varint(&mut bytes, first.len() as u32);
            bytes.extend_from_slice(&first);
            leaves.home.write(&mut bytes);
        }
    }
    bytes
}

/// The chunks of all tables.
pub(super) fn decode_root(bytes: &[u8]) -> Parsed<Vec<Vec<Named>>> {
    let mut reader = Reader::new(bytes);
    check_magic(&mut reader, ROOT_MAGIC)?;
    let tables = reader.u8()?;
    if usize::from(tables) != Table::ALL.len() {
        return Err(Malformed::unequal("tables", Table::ALL.len(), tables));
    }
    reader.take(2 + 8)?;
    let mut trees = Vec::new();
    for _ in 0..tables {
        let chunks = reader.u32()?;
        let mut named: Vec<Named> = Vec::new();
        for index in 0..chunks {
            let len = reader.len()?;
            let first = reader.take(len)?.to_vec();
            let is_above = named
                .last()
                .map_or(first.is_empty(), |last| last.first < first);
            if !is_above {
                return Err(Malformed::new(format!("chunk {index} begins out of order")));
            }
            let home = read_extent(&mut reader)?;
            named.push(Named { first, home });
        }
        trees.push(named);
    }
    check_end(&reader)?;
    Ok(trees)
}

pub(super) fn encode_chunk(leaves: &Leaves, table: Table, generation: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(leaves.memory_bytes() + leaves.filters.memory_bytes());
    bytes.extend_from_slice(&CHUNK_MAGIC);
    bytes.extend_from_slice(&[VERSION, table as u8]);
    bytes.extend_from_slice(&(leaves.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&generation.to_le_bytes());
    let mut last = Vec::new();
    for page in 0..leaves.len() {
        let separator = leaves.separators.get(page);
        let shared = shared_len(&last, &separator);
        put_varint(&mut bytes, shared as u32);
        put_varint(&mut bytes, (separator.len() - shared) as u32);
        bytes.extend_from_slice(&separator[shared..]);
        last = separator;
        bytes.extend_from_slice(&leaves.pages[page].0.to_le_bytes());
        bytes.extend_from_slice(&leaves.counts[page].to_le_bytes());
        let filter = leaves.filters.get(page);
        put_varint(&mut bytes, filter.len() as u32);
        bytes.extend_from_slice(filter);
        put_varint(&mut bytes, leaves.blobs_of(page).count() as u32);
        for blob in leaves.blobs_of(page) {
            blob.write(&mut bytes);
        }
    }
    bytes
}

/// The chunk of a table that begins at `first` and lies at `home`.
pub(super) fn decode_chunk(bytes: &[u8], table: Table, named: &Named) -> Parsed<Leaves> {
    let mut reader = Reader::new(bytes);
    check_magic(&mut reader, CHUNK_MAGIC)?;
    let found = reader.u8()?;
    if found != table as u8 {
        return Err(Malformed::unequal("table", table as u8, found));
    }
    let pages = usize::from(reader.u16()?);
    reader.take(8)?;
    if pages == 0 || pages > CHUNK_PAGES_MAX {
        return Err(Malformed::unequal(
            "pages of a chunk",
            CHUNK_PAGES_MAX,
            pages,
        ));
    }
    let mut leaves = Leaves {
        home: named.home,
        ..Leaves::default()
    };
    let mut separator = Vec::new();
    for page in 0..pages {
        let last = separator.clone();
        read_page(&mut reader, &mut separator, &mut leaves)?;
        let is_above = if page == 0 {
            separator == named.first
        } else {
            last < separator
        };
        if !is_above {
            return Err(Malformed::new(format!("separator {page} is out of order")));
        }
    }
    check_end(&reader)?;
    leaves.shrink();
    Ok(leaves)
}

fn read_page(reader: &mut Reader<'_>, separator: &mut Vec<u8>, leaves: &mut Leaves) -> Parsed<()> {
    let (shared, own) = (reader.len()?, reader.len()?);
    if shared > separator.len() {
        return Err(Malformed::unequal("bytes shared", separator.len(), shared));
    }
    separator.truncate(shared);
    separator.extend_from_slice(reader.take(own)?);
    let (id, count) = (PageId(reader.u32()?), reader.u16()?);
    let filter_len = reader.len()?;
    let filter = reader.take(filter_len)?;
    if filter.len() == 1 {
        return Err(Malformed::new("a filter without bits"));
    }
    let blobs = (0..reader.len()?)
        .map(|_| read_extent(reader))
        .collect::<Parsed<Vec<_>>>()?;
    leaves.push(separator, id, count, filter, &blobs);
    Ok(())
}

fn read_extent(reader: &mut Reader<'_>) -> Parsed<Extent> {
    let bytes = reader.take(12)?;
    Extent::read(bytes).ok_or_else(|| Malformed::new("an extent of 12 bytes expected"))
}

fn check_magic(reader: &mut Reader<'_>, magic: [u8; 4]) -> Parsed<()> {
    if reader.take(4)? != magic {
        return Err(Malformed::new("magic expected"));
    }
    let version = reader.u8()?;
    if version != VERSION {
        return Err(Malformed::unequal("version", VERSION, version));
    }
    Ok(())
}

fn check_end(reader: &Reader<'_>) -> Parsed<()> {
    if reader.is_empty() {
        return Ok(());
    }
    Err(Malformed::new("bytes behind the end"))
}

#[cfg(test)]
mod tests {
    use super::super::filter;
    use super::*;

    #[test]
    fn a_chunk_is_read_as_it_was_written() {
        let blob = Extent {
            start: PageId(77),
            bytes: 5000,
            checksum: 9,
        };
        let mut leaves = Leaves::default();
        let mut bits = Vec::new();
        filter::build(&[1, 2, 3], 10, &mut bits);
        leaves.push(b"abc", PageId(5), 3, &bits, &[blob]);
        leaves.push(b"abe", PageId(6), 1, &[], &[]);
        leaves.push(b"b", PageId(9), 2, &bits, &[blob, blob]);
        let bytes = encode_chunk(&leaves, Table::Code, 4);
        let named = Named {
            first: b"abc".to_vec(),
            home: blob,
        };
        let found = decode_chunk(&bytes, Table::Code, &named).expect("whole");
        assert_eq!(found.pages, leaves.pages);
        assert_eq!(found.counts, leaves.counts);
        assert_eq!(found.blobs, leaves.blobs);
        assert_eq!(found.home, blob);
        for page in 0..3 {
            assert_eq!(found.separators.get(page), leaves.separators.get(page));
            assert_eq!(found.filters.get(page), leaves.filters.get(page));
        }
        assert!(decode_chunk(&bytes, Table::Meta, &named).is_err());
        for len in 0..bytes.len() {
            assert!(decode_chunk(&bytes[..len], Table::Code, &named).is_err());
        }
    }
}
