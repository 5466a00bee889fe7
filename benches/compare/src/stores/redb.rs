//! redb: a copy-on-write B+tree in one file, without a root.

use crate::{
    layout::Hashed,
    store::{BoxError, Change, Committed, Facts, KeyValueStore, StoreOptions, each_on},
};
use rayon::ThreadPool;
use redb::{Database, Durability, ReadableDatabase as _, TableDefinition, TableError};

/// Accounts and slots.
const STATE: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("state");
/// The head alone.
const HEAD: TableDefinition<'_, (), &[u8]> = TableDefinition::new("head");

/// The store.
pub struct RedbStore(Database);

impl KeyValueStore for RedbStore {
    type Layout = Hashed;

    const FACTS: Facts = Facts {
        name: "redb",
        summary: "redb 4: a copy-on-write B+tree in one file, no root",
        root: "none",
        durability: "Durability::Immediate, its default: synced with each block",
        is_ethereum: false,
    };

    /// It divides a full leaf in halves, also at the end: in order, every leaf would stay half empty.
    const FILL_IN_ORDER: bool = false;

    fn open(options: &StoreOptions) -> Result<Self, BoxError> {
        let mut builder = Database::builder();
        builder.set_cache_size(options.cache_bytes);
        Ok(Self(builder.create(options.dir.join("state.redb"))?))
    }

    fn head(&self) -> Result<Option<Vec<u8>>, BoxError> {
        match self.0.begin_read()?.open_table(HEAD) {
            Ok(table) => Ok(table.get(())?.map(|head| head.value().to_vec())),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read(&self, keys: &[[u8; 32]], pool: &ThreadPool) -> Result<Vec<Option<Vec<u8>>>, BoxError> {
        let table = match self.0.begin_read()?.open_table(STATE) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(vec![None; keys.len()]),
            Err(error) => return Err(error.into()),
        };
        each_on(pool, keys, |key| {
            let value = table.get(key)?;
            Ok::<_, redb::StorageError>(value.map(|value| value.value().to_vec()))
        })
    }

    fn commit(
        &self,
        changes: Vec<Change<[u8; 32]>>,
        head: Option<&[u8]>,
    ) -> Result<Committed, BoxError> {
        let mut transaction = self.0.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        {
            let mut table = transaction.open_table(STATE)?;
            for Change { key, value } in &changes {
                match value {
                    Some(value) => table.insert(key, value.as_slice())?,
                    None => table.remove(key)?,
                };
            }
            if let Some(head) = head {
                transaction.open_table(HEAD)?.insert((), head)?;
            }
        }
        transaction.commit()?;
        Ok(Committed::default())
    }
}
