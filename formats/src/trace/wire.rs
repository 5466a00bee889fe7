//! How foreign types look in a record: the schemas that the derived ones are made of.
//!
//! All but [`Seq`] are conversions to a plain array or integer and back. `Seq` stands in for
//! wincode's own list, which takes memory by the count it reads: a few hostile bytes could then ask
//! for as much as the largest honest list needs.

use super::BlockAccessIndex;
use crate::{Account, BlockNumber};
use alloy_primitives::{Address, B256, U256};
use core::{marker::PhantomData, mem::MaybeUninit};
use wincode::{
    ReadResult, SchemaRead, SchemaWrite, WriteResult,
    adapter::FromInto,
    config::ConfigCore,
    io::{Reader, Writer},
    len::{BincodeLen, SeqLen},
};

/// Elements for which a list takes memory before it has seen one.
const FIRST_CAPACITY: usize = 64;

/// A hash: its 32 bytes.
pub(super) type Hash = FromInto<Word, B256>;
/// A number of 256 bits: 32 bytes, big-endian.
pub(super) type Uint = FromInto<Word, U256>;
/// An address: its 20 bytes.
pub(super) type Addr = FromInto<Bytes20, Address>;
/// A number with a type of its own: a u64.
pub(super) type Number<T> = FromInto<Count, T>;
/// An account: nonce, balance, code hash.
pub(super) type AccountWire = FromInto<AccountFields, Account>;

/// 32 bytes.
#[derive(SchemaRead, SchemaWrite)]
pub(super) struct Word([u8; 32]);

impl From<&B256> for Word {
    fn from(hash: &B256) -> Self {
        Self(hash.0)
    }
}

impl From<Word> for B256 {
    fn from(word: Word) -> Self {
        Self(word.0)
    }
}

impl From<&U256> for Word {
    fn from(number: &U256) -> Self {
        Self(number.to_be_bytes())
    }
}

impl From<Word> for U256 {
    fn from(word: Word) -> Self {
        Self::from_be_bytes(word.0)
    }
}

/// 20 bytes.
#[derive(SchemaRead, SchemaWrite)]
pub(super) struct Bytes20([u8; 20]);

impl From<&Address> for Bytes20 {
    fn from(address: &Address) -> Self {
        Self(address.into_array())
    }
}

impl From<Bytes20> for Address {
    fn from(bytes: Bytes20) -> Self {
        Self::from(bytes.0)
    }
}

/// A u64 under a name of its own.
#[derive(SchemaRead, SchemaWrite)]
pub(super) struct Count(u64);

impl From<&BlockNumber> for Count {
    fn from(number: &BlockNumber) -> Self {
        Self(number.0)
    }
}

impl From<Count> for BlockNumber {
    fn from(count: Count) -> Self {
        Self(count.0)
    }
}

impl From<&BlockAccessIndex> for Count {
    fn from(index: &BlockAccessIndex) -> Self {
        Self(index.get())
    }
}

impl From<Count> for BlockAccessIndex {
    fn from(count: Count) -> Self {
        Self::new(count.0)
    }
}

/// The fields of an [`Account`], which itself knows no format.
#[derive(SchemaRead, SchemaWrite)]
pub(super) struct AccountFields {
    nonce: u64,
    #[wincode(with = "Uint")]
    balance: U256,
    #[wincode(with = "Hash")]
    code_hash: B256,
}

impl From<&Account> for AccountFields {
    fn from(account: &Account) -> Self {
        let Account {
            nonce,
            balance,
            code_hash,
        } = *account;
        Self {
            nonce,
            balance,
            code_hash,
        }
    }
}

impl From<AccountFields> for Account {
    fn from(fields: AccountFields) -> Self {
        Self {
            nonce: fields.nonce,
            balance: fields.balance,
            code_hash: fields.code_hash,
        }
    }
}

/// A list: a u64 count, then the elements. Memory grows with the elements that are there.
pub(super) struct Seq<T>(PhantomData<T>);

// SAFETY: `TYPE_META` is the default, and `size_of` adds up what `write` writes: the count, then each
// element by the element's own `size_of` and `write`.
unsafe impl<T: SchemaWrite<C, Src = T>, C: ConfigCore> SchemaWrite<C> for Seq<T>
where
    BincodeLen: SeqLen<C>,
{
    type Src = Vec<T>;

    fn size_of(src: &Vec<T>) -> WriteResult<usize> {
        let count = <BincodeLen as SeqLen<C>>::write_bytes_needed(src.len())?;
        src.iter().try_fold(count, |sum, item| {
            T::size_of(item).map(|size| sum.saturating_add(size))
        })
    }

    fn write(mut writer: impl Writer, src: &Vec<T>) -> WriteResult<()> {
        <BincodeLen as SeqLen<C>>::write(writer.by_ref(), src.len())?;
        src.iter()
            .try_for_each(|item| T::write(writer.by_ref(), item))
    }
}

// SAFETY: `TYPE_META` is the default, and `dst` is written once, as the last step before `Ok`.
unsafe impl<'de, T: SchemaRead<'de, C, Dst = T>, C: ConfigCore> SchemaRead<'de, C> for Seq<T>
where
    BincodeLen: SeqLen<C>,
{
    type Dst = Vec<T>;

    fn read(mut reader: impl Reader<'de>, dst: &mut MaybeUninit<Vec<T>>) -> ReadResult<()> {
        let count = <BincodeLen as SeqLen<C>>::read(reader.by_ref())?;
        let mut items = Vec::with_capacity(count.min(FIRST_CAPACITY));
        for _ in 0..count {
            items.push(T::get(reader.by_ref())?);
        }
        dst.write(items);
        Ok(())
    }
}
