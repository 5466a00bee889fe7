//! What each tier takes, and for how many objects.
//!
//! Bytes are those of the structures themselves: keys and values as they were written, files as long
//! as they are. What a leaf store adds (indexes, filters, versions that are not merged away yet) is in
//! its own [`TableStats`](crate::leaf_store::TableStats), table by table; of the permanent tier, whose
//! leaves are not counted byte by byte, they are the table files and what is not in them yet.

use super::{Store, cheap::Cheap};
use crate::{
    leaf_store::{LeafStore, StoreError, Table},
    permanent::PermanentTier,
    spent::FieldId,
};

/// What the tiers of a store take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreSizes {
    /// Accounts, slots and code.
    pub permanent: TierSize,
    /// Temporary entries, and the periods that they were sealed with.
    pub temporary: TierSize,
    /// Records.
    pub utxo: TierSize,
}

/// What one tier takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierSize {
    /// Bytes on disk for live objects.
    pub live_disk_bytes: u64,
    /// Bytes of memory for live objects.
    pub live_memory_bytes: u64,
    /// Bytes that stay for ever because of objects that are no longer live: the period table, batch
    /// roots and ring, spent bitfields.
    pub permanent_bytes: u64,
    /// Of `permanent_bytes`, the spent bitfields.
    pub bitfield_bytes: u64,
    /// Memory of the trees over the spent bitfields.
    pub bitfield_memory_bytes: u64,
    /// Bytes of the archive, where this node keeps one. No block needs it.
    pub archive_bytes: u64,
    /// Objects that can be read, or spent.
    pub live_objects: u64,
    /// Objects that have left the live state: entries that are frozen or sealed, records that are
    /// spent.
    pub dead_objects: u64,
    /// Of the dead objects, those with their bit set: resurrected leaves, spent records.
    pub spent_objects: u64,
}

impl TierSize {
    /// Bytes on disk for each live object; `None` where there is none.
    pub fn live_bytes_per_object(&self) -> Option<f64> {
        ratio(self.live_disk_bytes, self.live_objects)
    }

    /// Permanent bytes for each object that is no longer live; `None` where there is none.
    pub fn permanent_bytes_per_dead_object(&self) -> Option<f64> {
        ratio(self.permanent_bytes, self.dead_objects)
    }

    /// Permanent bits for each object whose bit is set; `None` where there is none.
    pub fn bits_per_spent_object(&self) -> Option<f64> {
        ratio(self.permanent_bytes.saturating_mul(8), self.spent_objects)
    }

    /// Adds a spent bitfield. One in memory takes as many bytes as it has bits for.
    fn add_field(&mut self, file_bytes: u64, bits: u64, node_bytes: u64, ones: u64) {
        self.bitfield_bytes += match file_bytes {
            0 => bits.div_ceil(8),
            bytes => bytes,
        };
        self.bitfield_memory_bytes += node_bytes;
        self.spent_objects += ones;
    }
}

impl<S: LeafStore> Store<S> {
    /// What each tier takes. Reads all spent bitfields, and the table of the UTXO tier.
    pub fn sizes(&self) -> Result<StoreSizes, StoreError> {
        let cheap = self.read();
        let view = self.permanent.view();
        let (mut temporary, mut utxo) = (temporary(&cheap), TierSize::default());
        for field in cheap.spent.sizes() {
            let ones = cheap.spent.ones(field.field).unwrap_or_default();
            let tier = match field.field {
                FieldId::Utxo => &mut utxo,
                FieldId::Period(_) => &mut temporary,
            };
            tier.add_field(field.file_bytes, field.bits, field.node_bytes, ones);
        }
        temporary.permanent_bytes += temporary.bitfield_bytes;
        let sizes = cheap.utxo.sizes(&view.snapshot)?;
        utxo.live_disk_bytes = sizes.window_bytes;
        utxo.live_memory_bytes = sizes.memory_bytes;
        utxo.permanent_bytes = sizes.ring_bytes + sizes.batch_bytes + utxo.bitfield_bytes;
        utxo.archive_bytes = cheap.records().map_or(0, |archive| archive.bytes());
        utxo.dead_objects = utxo.spent_objects;
        let records = cheap.utxo.next_index().0;
        utxo.live_objects = records.saturating_sub(utxo.spent_objects);
        Ok(StoreSizes {
            permanent: TierSize::of_permanent(&self.permanent)?,
            temporary,
            utxo,
        })
    }
}

impl TierSize {
    /// What a permanent tier takes, also where there is no other.
    pub fn of_permanent<S: LeafStore>(tier: &PermanentTier<S>) -> Result<Self, StoreError> {
        let head = tier.head();
        let (accounts, storage) = tier.interior_size();
        let mut size = Self {
            live_memory_bytes: (accounts.bytes + storage.bytes),
            live_objects: head.accounts + head.slots,
            archive_bytes: tier
                .archive()
                .map_or(0, |archive| archive.size().file_bytes),
            ..Self::default()
        };
        for table in [Table::Accounts, Table::Storage, Table::Code] {
            let stats = tier.table_stats(table)?;
            size.live_disk_bytes += stats.file_bytes;
            size.live_memory_bytes += stats.memory_bytes;
        }
        Ok(size)
    }
}

/// The temporary tier without its bitfields.
fn temporary(cheap: &Cheap) -> TierSize {
    let stats = cheap.temporary.stats();
    let segments = cheap.periods.iter().flat_map(|archive| archive.segments());
    TierSize {
        live_disk_bytes: stats.log_bytes,
        live_memory_bytes: stats.memory_bytes,
        permanent_bytes: stats.period_table_bytes,
        archive_bytes: segments.map(|segment| segment.file_bytes).sum(),
        live_objects: stats.current_entries + stats.previous_entries,
        dead_objects: stats.frozen_entries + stats.leaves_sealed,
        ..TierSize::default()
    }
}

fn ratio(of: u64, to: u64) -> Option<f64> {
    (to > 0).then(|| of as f64 / to as f64)
}
