//! How far sealing has come, in the store.

use crate::{
    leaf_store::{Batch, Table},
    temporary::{
        bytes::{DecodeError, Reader},
        log::{check_crc, seal_crc},
        period_table::period_key,
    },
};
use thinstate_formats::{
    PeriodId,
    counted::{MAX_PAGE_BITS, Node},
};

/// The first byte of a header's key.
pub(in crate::temporary) const SEAL_KEY: u8 = b's';
/// The first byte of the keys of pages.
pub(in crate::temporary) const PAGES_KEY: u8 = b'p';
const NODE: usize = 40;

/// A frozen period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::temporary) struct Header {
    pub(in crate::temporary) page_bits: u32,
    /// The root of a period whose entries are gone.
    pub(in crate::temporary) root: Option<Node>,
}

/// Puts a period's header.
pub(in crate::temporary) fn put_header(batch: &mut Batch, period: PeriodId, header: Header) {
    let key = period_key(SEAL_KEY, period);
    let mut value = vec![header.page_bits as u8, u8::from(header.root.is_some())];
    if let Some(root) = header.root {
        put_node(&mut value, root);
    }
    seal_crc(&key, &mut value);
    batch.put(Table::Periods, key, value);
}

pub(in crate::temporary) fn decode_header(
    key: &[u8],
    value: &[u8],
) -> Result<(PeriodId, Header), DecodeError> {
    let period = read_period(&mut Reader::new(key))?;
    let mut reader = Reader::new(check_crc(key, value)?);
    let [page_bits, finished] = reader.array("page bits")?;
    let page_bits = u32::from(page_bits);
    if page_bits > MAX_PAGE_BITS {
        return Err(reader.expected("at most 24 page bits"));
    }
    let root = match finished {
        0 => None,
        1 => Some(read_node(&mut reader)?),
        _ => return Err(reader.expected("0 or 1")),
    };
    if !reader.is_done() {
        return Err(reader.expected("the end of the header"));
    }
    Ok((period, Header { page_bits, root }))
}

/// Pages of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::temporary) struct Pages {
    pub(in crate::temporary) period: PeriodId,
    pub(in crate::temporary) first: usize,
    pub(in crate::temporary) nodes: Vec<Node>,
}

/// Puts pages that follow the first `first`.
pub(super) fn put_pages(batch: &mut Batch, period: PeriodId, first: usize, nodes: &[Node]) {
    let mut key = period_key(PAGES_KEY, period).to_vec();
    key.extend_from_slice(&(first as u32).to_be_bytes());
    let mut value = Vec::with_capacity(nodes.len() * NODE + 4);
    for node in nodes {
        put_node(&mut value, *node);
    }
    seal_crc(&key, &mut value);
    batch.put(Table::Periods, key, value);
}

pub(in crate::temporary) fn decode_pages(key: &[u8], value: &[u8]) -> Result<Pages, DecodeError> {
    let mut reader = Reader::new(key);
    let period = read_period(&mut reader)?;
    let first = u32::from_be_bytes(reader.array("the first page")?) as usize;
    let mut reader = Reader::new(check_crc(key, value)?);
    let mut nodes = Vec::with_capacity(reader.rest().len() / NODE);
    while !reader.is_done() {
        nodes.push(read_node(&mut reader)?);
    }
    Ok(Pages {
        period,
        first,
        nodes,
    })
}

/// Deletes header and pages of a period: two operations, however many there are.
pub(in crate::temporary) fn clear_progress(batch: &mut Batch, period: PeriodId) {
    batch.delete(Table::Periods, period_key(SEAL_KEY, period));
    let after = PeriodId(period.0.saturating_add(1));
    let pages = period_key(PAGES_KEY, period);
    batch.delete_range(Table::Periods, pages, period_key(PAGES_KEY, after));
}

fn put_node(bytes: &mut Vec<u8>, node: Node) {
    bytes.extend_from_slice(node.hash.as_slice());
    bytes.extend_from_slice(&node.count.to_le_bytes());
}

fn read_node(reader: &mut Reader<'_>) -> Result<Node, DecodeError> {
    Ok(Node {
        hash: reader.hash("a node's hash")?,
        count: u64::from_le_bytes(reader.array("a node's leaf count")?),
    })
}

fn read_period(key: &mut Reader<'_>) -> Result<PeriodId, DecodeError> {
    key.take(1, "a kind of key")?;
    Ok(PeriodId(u64::from_be_bytes(key.array("a period")?)))
}
