//! The list of what is measured.

use super::{
    Metric,
    Unit::{Bytes, Count, Gas, Nanoseconds},
    metric, ns,
};

/// Everything that is measured, in the order of columns and rows. Times and reads are named as in
/// clients' slow-block logs.
pub const METRICS: &[Metric] = &[
    metric("blocks", "blocks of the source", Count, |b| b.blocks.into()),
    metric("tx_count", "transactions", Count, |b| b.tx_count),
    metric("gas_used", "gas used", Gas, |b| b.gas_used),
    metric("accounts_read_hit", "accounts read, there", Count, |b| {
        b.accounts.reads_hit
    }),
    metric(
        "accounts_read_absent",
        "accounts read, absent",
        Count,
        |b| b.accounts.reads_absent,
    ),
    metric("accounts_read_cold", "accounts read, cold", Count, |b| {
        b.accounts.reads_cold
    }),
    metric("accounts_created", "accounts created", Count, |b| {
        b.accounts.created
    }),
    metric("accounts_updated", "accounts updated", Count, |b| {
        b.accounts.updated
    }),
    metric("accounts_deleted", "accounts deleted", Count, |b| {
        b.accounts.deleted
    }),
    metric(
        "slots_read_hit",
        "permanent slots read, there",
        Count,
        |b| b.slots.reads_hit,
    ),
    metric(
        "slots_read_absent",
        "permanent slots read, absent",
        Count,
        |b| b.slots.reads_absent,
    ),
    metric(
        "slots_read_cold",
        "permanent slots read, cold",
        Count,
        |b| b.slots.reads_cold,
    ),
    metric("slots_created", "permanent slots created", Count, |b| {
        b.slots.created
    }),
    metric("slots_updated", "permanent slots updated", Count, |b| {
        b.slots.updated
    }),
    metric("slots_deleted", "permanent slots deleted", Count, |b| {
        b.slots.deleted
    }),
    metric("temporary_read_hit", "temporary reads, there", Count, |b| {
        b.temporary.reads_hit
    }),
    metric(
        "temporary_read_absent",
        "temporary reads, absent",
        Count,
        |b| b.temporary.reads_absent,
    ),
    metric("temporary_written", "temporary writes", Count, |b| {
        b.temporary.created + b.temporary.updated + b.temporary.deleted
    }),
    metric(
        "temporary_created",
        "temporary entries created",
        Count,
        |b| b.temporary.created,
    ),
    metric(
        "temporary_updated",
        "temporary entries updated",
        Count,
        |b| b.temporary.updated,
    ),
    metric(
        "temporary_deleted",
        "temporary entries deleted",
        Count,
        |b| b.temporary.deleted,
    ),
    metric(
        "temporary_resurrected",
        "sealed leaves resurrected",
        Count,
        |b| b.temporary.resurrected,
    ),
    metric("records_read_hit", "records read, there", Count, |b| {
        b.utxo.reads_hit
    }),
    metric("records_read_absent", "records read, absent", Count, |b| {
        b.utxo.reads_absent
    }),
    metric("records_appended", "records appended", Count, |b| {
        b.utxo.created
    }),
    metric("records_spent", "records spent", Count, |b| b.utxo.deleted),
    metric("codes_read", "codes read", Count, |b| b.codes_read),
    metric("codes_read_cold", "codes read, cold", Count, |b| {
        b.codes_read_cold
    }),
    metric("code_bytes_read", "bytes of code read", Bytes, |b| {
        b.code_bytes_read
    }),
    metric("expired_entries", "entries expired", Count, |b| {
        b.expired_entries
    }),
    metric("hashes", "hashes", Count, |b| b.sum(|it| it.hashes)),
    metric("accounts_hashes", "accounts: hashes", Count, |b| {
        b.accounts.hashes
    }),
    metric("slots_hashes", "permanent slots: hashes", Count, |b| {
        b.slots.hashes
    }),
    metric("temporary_hashes", "temporary: hashes", Count, |b| {
        b.temporary.hashes
    }),
    metric("records_hashes", "records: hashes", Count, |b| {
        b.utxo.hashes
    }),
    metric("permutations", "permutations", Count, |b| {
        b.sum(|it| it.permutations)
    }),
    metric(
        "accounts_permutations",
        "accounts: permutations",
        Count,
        |b| b.accounts.permutations,
    ),
    metric(
        "slots_permutations",
        "permanent slots: permutations",
        Count,
        |b| b.slots.permutations,
    ),
    metric(
        "temporary_permutations",
        "temporary: permutations",
        Count,
        |b| b.temporary.permutations,
    ),
    metric(
        "records_permutations",
        "records: permutations",
        Count,
        |b| b.utxo.permutations,
    ),
    metric("store_gets", "leaf store gets", Count, |b| b.io.gets),
    metric("store_scans", "leaf store scans", Count, |b| b.io.scans),
    metric("store_entries_scanned", "entries scanned", Count, |b| {
        b.io.entries_scanned
    }),
    metric("block_reads", "store blocks from files", Count, |b| {
        b.io.block_reads
    }),
    metric(
        "block_cache_hits",
        "store blocks from its cache",
        Count,
        |b| b.io.block_cache_hits,
    ),
    metric("logical_read_bytes", "bytes read, logical", Bytes, |b| {
        b.logical_read_bytes()
    }),
    metric(
        "accounts_read_bytes",
        "accounts: bytes read, logical",
        Bytes,
        |b| b.accounts.logical_read_bytes,
    ),
    metric(
        "slots_read_bytes",
        "permanent slots: bytes read, logical",
        Bytes,
        |b| b.slots.logical_read_bytes,
    ),
    metric(
        "temporary_read_bytes",
        "temporary: bytes read, logical",
        Bytes,
        |b| b.temporary.logical_read_bytes,
    ),
    metric(
        "records_read_bytes",
        "records: bytes read, logical",
        Bytes,
        |b| b.utxo.logical_read_bytes,
    ),
    metric(
        "logical_written_bytes",
        "bytes written, logical",
        Bytes,
        |b| b.sum(|it| it.logical_written_bytes),
    ),
    metric(
        "accounts_written_bytes",
        "accounts: bytes written, logical",
        Bytes,
        |b| b.accounts.logical_written_bytes,
    ),
    metric(
        "slots_written_bytes",
        "permanent slots: bytes written, logical",
        Bytes,
        |b| b.slots.logical_written_bytes,
    ),
    metric(
        "temporary_written_bytes",
        "temporary: bytes written, logical",
        Bytes,
        |b| b.temporary.logical_written_bytes,
    ),
    metric(
        "records_written_bytes",
        "records: bytes written, logical",
        Bytes,
        |b| b.utxo.logical_written_bytes,
    ),
    metric("store_read_bytes", "bytes read by the store", Bytes, |b| {
        b.io.block_read_bytes
    }),
    metric(
        "store_written_bytes",
        "bytes written by the store",
        Bytes,
        |b| b.io.store_written_bytes,
    ),
    metric("store_syncs", "syncs of the store", Count, |b| b.io.syncs),
    metric(
        "device_read_bytes",
        "bytes read from the device",
        Bytes,
        |b| b.device_read_bytes,
    ),
    metric(
        "device_written_bytes",
        "bytes written to the device",
        Bytes,
        |b| b.device_written_bytes,
    ),
    metric("device_reads", "reads of the device", Count, |b| {
        b.device_reads
    }),
    metric("device_writes", "writes of the device", Count, |b| {
        b.device_writes
    }),
    metric("witness_bytes", "witness bytes", Bytes, |b| {
        b.sum(|it| it.witness_bytes)
    }),
    metric("archive_bytes", "bytes to the archive", Bytes, |b| {
        b.sum(|it| it.archive_bytes)
    }),
    metric("wait_ns", "wait", Nanoseconds, |b| ns(b.wait)),
    metric("state_read_ns", "state_read", Nanoseconds, |b| {
        ns(b.state_read)
    }),
    metric("state_hash_ns", "state_hash", Nanoseconds, |b| {
        ns(b.state_hash)
    }),
    metric("commit_ns", "commit", Nanoseconds, |b| ns(b.commit)),
    metric("background_ns", "background", Nanoseconds, |b| {
        ns(b.background)
    }),
    metric("total_ns", "total", Nanoseconds, |b| ns(b.total)),
    metric("cpu_ns", "CPU time", Nanoseconds, |b| ns(b.cpu)),
    metric("memory_bytes", "memory resident", Bytes, |b| b.memory_bytes),
];
