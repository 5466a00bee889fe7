//! The trace: the state accesses of a sequence of blocks, replayable without an EVM.
//!
//! A trace holds, for every block, its figures (number, timestamp, gas, transactions, hashes, the
//! state root it must end at) and, for every [`BlockAccessIndex`] of EIP-7928 (0 before the first
//! transaction, `1..=n` the transactions, `n + 1` after the last), the accounts, slots and code
//! that were read and written, with the values found and left. This module is the codec: bytes in,
//! bytes out. Files are opened, written and recovered by `thinstate-replay`.
//!
//! ```
//! use alloy_primitives::{Address, B256, U256};
//! use thinstate_formats::BlockNumber;
//! use thinstate_formats::trace::{
//!     BlockAccessIndex, BlockTrace, SlotAccess, TxAccesses, decode_frame, encode_frame,
//! };
//!
//! let write = SlotAccess::write(Address::ZERO, U256::from(7), U256::ZERO, U256::from(100));
//! let block = BlockTrace {
//!     number: BlockNumber(1),
//!     timestamp: 1_438_269_988,
//!     gas_used: 0,
//!     gas_limit: 5_000,
//!     tx_count: 1,
//!     hash: B256::repeat_byte(1),
//!     parent_hash: B256::ZERO,
//!     state_root: None,
//!     accesses: vec![TxAccesses {
//!         slots: vec![write],
//!         ..TxAccesses::new(BlockAccessIndex::from_tx_index(0))
//!     }],
//! };
//! let frame = encode_frame(&block)?;
//! assert_eq!(decode_frame(&frame, 0)?, block);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Format, version 1
//!
//! Integers are unsigned and little-endian, unless said otherwise. CRC-32 is the IEEE one (reflected
//! 0xEDB88320, as in zlib). Reserved bytes are zero, and anything else is an error.
//!
//! ```text
//! +-------------+---------+---------+-----+---------+-------+-----------+
//! | file header | frame 0 | frame 1 | ... | frame n | index |  footer   |
//! |    32 B     |         |         |     |         |       |   40 B    |
//! +-------------+---------+---------+-----+---------+-------+-----------+
//! ```
//!
//! **File header**, 32 bytes:
//!
//! ```text
//! offset  size  field
//!      0     8  magic, "THSTRACE"
//!      8     2  version, 1
//!     10     2  flags: bit 0, values before are partly assumed; all others 0
//!     12     4  reserved
//!     16     8  chain id
//!     24     4  reserved
//!     28     4  CRC-32 of bytes 0..28
//! ```
//!
//! Bit 0 of the flags stands in traces of sources that do not tell what was there before, as EIP-7928
//! lists: keys, order and values after are then the source's, values before partly made up.
//!
//! **Frame**, one for each block, numbers strictly ascending from frame to frame:
//!
//! ```text
//! offset  size  field
//!      0     4  marker, "BLCK"
//!      4     4  reserved
//!      8     8  block number
//!     16     4  payload length p, at most MAX_FRAME_BYTES
//!     20     4  record length r, at most MAX_FRAME_BYTES
//!     24     4  CRC-32 of the payload
//!     28     4  CRC-32 of bytes 0..28
//!     32     p  payload: a zstd frame that decompresses to exactly r bytes, the record
//! ```
//!
//! **Index** and **footer**. Their lengths add up to the file's, so that each byte of a file is
//! known to belong to something:
//!
//! ```text
//! offset  size  field                            offset  size  field
//!      0     4  marker, "INDX"                        0     8  offset of the index
//!      4     4  reserved                              8     8  number of entries n
//!      8     8  number of entries n                  16     8  length of the whole file
//!     16  16 n  entries, ascending:                  24     4  CRC-32 of the index
//!               block number (8), offset of          28     4  CRC-32 of bytes 0..28
//!               its frame in the file (8)            32     8  end magic, "THSTREND"
//! ```
//!
//! The first frame starts at 32, each next one where the former ends, the index where the last ends.
//!
//! # The record
//!
//! The record is bincode 1.3's wire format (fixed-width integers), written with `wincode`: fields one
//! after another without padding; `list of T` is a u64 count and then the elements; `option of T`
//! is one byte, 0 or 1, and for 1 then the value; `bool` is one byte, 0 or 1; an enum is a u32 tag and
//! then the fields of that variant. Any other byte in the place of an option, bool or tag is an error.
//! `word` is 32 bytes: hashes as they are, numbers **big-endian**, as Ethereum writes its words
//! (a slot's key and its preimages then share bytes, which zstd finds).
//!
//! ```text
//! record    number u64 | timestamp u64 | gas_used u64 | gas_limit u64 | tx_count u32
//!           | hash word | parent_hash word | state_root option of word | accesses list of group
//! group     index u64 | accounts list of account access | slots list of slot access
//!           | code_reads list of code | code_writes list of code
//! account   nonce u64 | balance word | code_hash word
//! account   address 20 bytes | tag u32
//! access        0 read   found option of account
//!               1 write  before option of account | after option of account | storage_wiped bool
//! slot      address 20 bytes | slot word | tag u32 | class u32 | preimages list of preimage
//! access        0 read   value word                  (between tag and class)
//!               1 write  before word | after word    (between tag and class)
//! class     0 unclassified, 1 plain slot, 2 ERC-20 balance, 3 ERC-721 owner, 4 ERC-1155 balance,
//!           5 CDP, 6 allowance
//! preimage  order u32 (0 key || base, 1 base || key) | key word | base word
//! code      hash word | length u32
//! ```
//!
//! Nothing may follow the last field.
//!
//! # Invariants
//!
//! One sequence of accesses has one record. [`BlockTrace::check`] holds each to these, on the way out
//! and on the way in:
//! - groups ascend by index, none is above `tx_count + 1`, none is empty;
//! - in a group accounts ascend by address, slots by address and slot, code by hash, each once;
//! - a write changes something. Storing what was there is a read, as in EIP-7928.
//!
//! Whether values agree from one index to the next, and whether a slot's preimages hash to it
//! ([`SlotAccess::member_offset`]), is not checked here: the first needs a state, the second a hash per
//! mapping level, which a replay should not pay for each reading.
//!
//! # What a damaged file does
//!
//! Every byte lies under a checksum or is compared with a constant, so a flipped bit anywhere is an
//! error with its offset. Lengths are held against their limits, and against the bytes that are there,
//! before memory is taken: a list takes memory as its elements arrive, never by its count. A file
//! whose writer was killed has no footer: frames still follow each other from offset 32, and those
//! before the first bad one are good. Versions other than 1 are refused by name.
//!
//! # Cost
//!
//! A slot read takes 100 bytes of record, a write 132, a preimage 68; zstd brings that down by the
//! repetition of addresses, keys and zeros. Opening costs the header, the footer and 16 bytes a block;
//! reading any one block costs one read of its frame.

mod access;
mod block;
mod canonical;
mod code;
mod error;
mod fields;
mod frame;
mod header;
mod index;
mod slot;
mod wire;

pub use crate::object::ObjectClass;
pub use access::{AccountAccess, AccountAccessKind};
pub use alloy_eip7928::BlockAccessIndex;
pub use block::{BlockTrace, TxAccesses};
pub use canonical::TraceFault;
pub use code::{CodeRead, CodeWrite};
pub use error::{EncodeError, Part, TraceError};
pub use frame::{
    FRAME_HEADER_BYTES, FrameHeader, MAX_FRAME_BYTES, decode_frame, decode_record, encode_frame,
    encode_record,
};
pub use header::{TRACE_HEADER_BYTES, TRACE_VERSION, TraceHeader};
pub use index::{
    FOOTER_BYTES, Footer, INDEX_ENTRY_BYTES, INDEX_HEADER_BYTES, IndexEntry, encode_tail,
    starts_index,
};
pub use slot::{PreimageOrder, SlotAccess, SlotAccessKind, SlotPreimage};
