//! Upper bounds of the gas that each kind of transaction uses under Shanghai's rules.
//!
//! Every slot is taken as cold and absent (22,100 to write, EIP-2929; 2,100 to read), every byte of data as not zero (16, EIP-2028),
//! initcode as 2 a word (EIP-3860). What is left for opcodes is generous, since a limit that is too low fails a transaction and one that is
//! too high costs nothing.

/// A transfer without data.
pub(super) const PLAIN: u64 = 21_000;
/// A token transfer: two balances (one new), an event.
pub(super) const TOKEN_TRANSFER: u64 = 80_000;
/// A mint: the supply (new the first time), a new balance, an event.
pub(super) const TOKEN_MINT: u64 = 100_000;
/// A vault's end: a cold account and SELFDESTRUCT.
pub(super) const VAULT_WIPE: u64 = 60_000;

const CREATION: u64 = 53_000;
const SLOT_WRITE: u64 = 22_100;
const SLOT_READ: u64 = 2_100;
const DATA_BYTE: u64 = 16;
const CODE_BYTE: u64 = 200;
const INIT_CODE_BYTE: u64 = DATA_BYTE + 1;
const OPCODES: u64 = 20_000;
/// Opcodes for one slot in a loop.
const LOOP: u64 = 200;

/// A creation by a transaction, whose constructor writes `slots` and leaves `code_bytes`.
pub(super) const fn creation(init_bytes: u64, slots: u64, code_bytes: u64) -> u64 {
    CREATION + OPCODES + init_bytes * INIT_CODE_BYTE + slots * SLOT_WRITE + code_bytes * CODE_BYTE
}

/// A vault made by the factory. The vault's init code and code are some 150 bytes.
pub(super) const fn vault_creation(slots: u64) -> u64 {
    CREATION + 2 * OPCODES + SLOT_WRITE + 256 * CODE_BYTE + slots * (SLOT_WRITE + LOOP)
}

/// A batch of reads and writes on a vault.
pub(super) const fn batch(reads: u64, writes: u64) -> u64 {
    let data_bytes = 32 * (1 + reads + 2 * writes);
    PLAIN
        + OPCODES
        + data_bytes * DATA_BYTE
        + reads * (SLOT_READ + LOOP)
        + writes * (SLOT_WRITE + LOOP)
}

/// The largest init code of a note: a push of 33 bytes, one of at most 3 and SSTORE for each slot, then the code.
pub(super) const fn note_init_bytes(slots: u64, code_bytes: u64) -> u64 {
    slots * 37 + code_bytes + 16
}
