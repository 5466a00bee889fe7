//! What lives in a slot: objects recognised by preimages, logs, known layouts and addresses.
