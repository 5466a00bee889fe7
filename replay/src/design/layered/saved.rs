//! What wallets know, in a file beside the store: written when the store is flushed, read when it is opened.
//!
//! ```text
//! wallets.bin   "tswallet" 8 | version u32 = 1 | head u64 | wallets (wallet/saved.rs)
//!               | waiting u64 | for each: location 32 | sealed 32 | after 32 | until u64
//!                 | contract 20 | slot 32 | key
//!               | BLAKE3 of all before 32
//! key           class u8 | what the class has: owner 20, spender 20, id 8 (LE) or 32, slot 32
//! ```
//!
//! The file is of one block. If the store is at another one, wallets are not known: blocks were applied
//! after the last flush.

use super::{
    LayeredDesign, State,
    pending::Waiting,
    wallet::{array, put_u64, read_u64, read_word},
};
use crate::design::DesignError;
use alloy_primitives::{Address, B256};
use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::Path,
};
use thinstate_formats::{
    BlockNumber,
    object::{ObjectClass, ObjectKey},
};

const SAVED_FILE: &str = "wallets.bin";
const MAGIC: &[u8; 8] = b"tswallet";
const VERSION: u32 = 1;

impl LayeredDesign {
    /// Writes what wallets know, unless blocks are planned that are not applied.
    pub(super) fn save_wallets(&self) -> Result<(), DesignError> {
        let state = self.state();
        let Some(head) = self.store.head().block.map(|block| block.number) else {
            return Ok(());
        };
        if state.is_blind || state.last() != Some(head) {
            return Ok(());
        }
        let path = self.dir.join(SAVED_FILE);
        write_whole(&path, |file| write_state(&state, head, file))
            .map_err(DesignError::store(format!("write {}", path.display())))
    }

    /// Reads what wallets knew at the head, if that was written.
    pub(super) fn recall_saved(
        &self,
        state: &mut State,
        head: BlockNumber,
    ) -> Result<(), DesignError> {
        let path = self.dir.join(SAVED_FILE);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened,
        };
        file.and_then(|file| read_state(state, head, &mut BufReader::new(file)))
            .map_err(DesignError::store(format!("read {}", path.display())))
    }
}

/// Writes a file aside, syncs it, and puts it in place.
pub(super) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let aside = path.with_extension("partial");
    let mut file = BufWriter::new(File::create(&aside)?);
    write(&mut file)?;
    file.into_inner()?.sync_all()?;
    fs::rename(&aside, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Hashes what goes through it.
struct Hashed<'f, F> {
    inner: &'f mut F,
    hasher: blake3::Hasher,
}

impl<'f, F> Hashed<'f, F> {
    fn new(inner: &'f mut F) -> Self {
        Self {
            inner,
            hasher: blake3::Hasher::new(),
        }
    }
}

impl<F: Write> Write for Hashed<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<F: Read> Read for Hashed<'_, F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.hasher.update(&bytes[..read]);
        Ok(read)
    }
}

fn write_state(state: &State, head: BlockNumber, file: &mut impl Write) -> io::Result<()> {
    let mut to = Hashed::new(file);
    to.write_all(MAGIC)?;
    to.write_all(&VERSION.to_le_bytes())?;
    put_u64(&mut to, head.0)?;
    state.wallet.save(&mut to)?;
    let mut waiting: Vec<_> = state.waiting.iter().collect();
    waiting.sort_unstable_by_key(|(location, _)| **location);
    put_u64(&mut to, waiting.len() as u64)?;
    for (location, it) in waiting {
        to.write_all(location.as_slice())?;
        to.write_all(&it.sealed.to_be_bytes::<32>())?;
        to.write_all(&it.after.to_be_bytes::<32>())?;
        put_u64(&mut to, it.until.0)?;
        to.write_all(it.contract.as_slice())?;
        to.write_all(&it.slot.to_be_bytes::<32>())?;
        write_key(&it.key, &mut to)?;
    }
    let digest = to.hasher.finalize();
    file.write_all(digest.as_bytes())
}

/// Leaves the state as it was if the file is of another block, or is damaged.
fn read_state(state: &mut State, head: BlockNumber, file: &mut impl Read) -> io::Result<()> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut from = Hashed::new(file);
    if array(&mut from)? != *MAGIC || u32::from_le_bytes(array(&mut from)?) != VERSION {
        return Err(bad("expected the wallets of a store, version 1"));
    }
    if read_u64(&mut from)? != head.0 {
        return Ok(());
    }
    state.wallet.load(&mut from)?;
    for _ in 0..read_u64(&mut from)? {
        let location = B256::new(array(&mut from)?);
        let waiting = Waiting {
            sealed: read_word(&mut from)?,
            after: read_word(&mut from)?,
            until: BlockNumber(read_u64(&mut from)?),
            contract: Address::new(array(&mut from)?),
            slot: read_word(&mut from)?,
            key: read_key(&mut from)?,
        };
        state.waiting.insert(location, waiting);
    }
    let expected = from.hasher.finalize();
    match array(file)? == *expected.as_bytes() {
        true => Ok(()),
        false => Err(bad("the checksum does not match")),
    }
}

fn write_key(key: &ObjectKey, to: &mut impl Write) -> io::Result<()> {
    to.write_all(&[key.class().id()])?;
    match *key {
        ObjectKey::PlainSlot(slot) => to.write_all(&slot.to_be_bytes::<32>()),
        ObjectKey::Erc20Balance { owner } => to.write_all(owner.as_slice()),
        ObjectKey::Erc721Owner { id } => put_u64(to, id),
        ObjectKey::Erc1155Balance { owner, id } => {
            to.write_all(owner.as_slice())?;
            to.write_all(&id.to_be_bytes::<32>())
        }
        ObjectKey::Cdp { owner, id } => {
            to.write_all(owner.as_slice())?;
            put_u64(to, id)
        }
        ObjectKey::Allowance { owner, spender } => {
            to.write_all(owner.as_slice())?;
            to.write_all(spender.as_slice())
        }
    }
}

fn read_key(from: &mut impl Read) -> io::Result<ObjectKey> {
    let [class] = array(from)?;
    Ok(match ObjectClass::from_id(class) {
        None | Some(ObjectClass::Unclassified) => {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "unknown class"));
        }
        Some(ObjectClass::PlainSlot) => ObjectKey::PlainSlot(read_word(from)?),
        Some(ObjectClass::Erc20Balance) => ObjectKey::Erc20Balance {
            owner: Address::new(array(from)?),
        },
        Some(ObjectClass::Erc721Owner) => ObjectKey::Erc721Owner {
            id: read_u64(from)?,
        },
        Some(ObjectClass::Erc1155Balance) => ObjectKey::Erc1155Balance {
            owner: Address::new(array(from)?),
            id: read_word(from)?,
        },
        Some(ObjectClass::Cdp) => ObjectKey::Cdp {
            owner: Address::new(array(from)?),
            id: read_u64(from)?,
        },
        Some(ObjectClass::Allowance) => ObjectKey::Allowance {
            owner: Address::new(array(from)?),
            spender: Address::new(array(from)?),
        },
    })
}
