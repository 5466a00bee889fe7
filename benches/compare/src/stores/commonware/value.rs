//! What is kept under a key, and beside a commit.

use crate::store::BoxError;
use commonware_codec::CodecShared;
use commonware_cryptography::sha256::Digest;

/// Bytes of a head, which is shorter than a value of fixed size.
const HEAD_BYTES: usize = 24;

/// A value of a database; the head of the chain, which is kept beside its last commit, is one too.
pub trait Value: CodecShared + Clone {
    /// Bytes as a value.
    fn from_bytes(bytes: Vec<u8>) -> Result<Self, BoxError>;

    /// A value's bytes.
    fn into_bytes(self) -> Vec<u8>;

    /// A head as a value.
    fn from_head(head: Vec<u8>) -> Self;

    /// The head in that value.
    fn into_head(self) -> Vec<u8>;
}

/// Of any length.
impl Value for Vec<u8> {
    fn from_bytes(bytes: Vec<u8>) -> Result<Self, BoxError> {
        Ok(bytes)
    }

    fn into_bytes(self) -> Vec<u8> {
        self
    }

    fn from_head(head: Vec<u8>) -> Self {
        head
    }

    fn into_head(self) -> Vec<u8> {
        self
    }
}

/// Of 32 bytes; a head has zeros behind it.
impl Value for Digest {
    fn from_bytes(bytes: Vec<u8>) -> Result<Self, BoxError> {
        let bytes = <[u8; 32]>::try_from(bytes);
        let bytes =
            bytes.map_err(|bytes| format!("expected a value of 32 bytes, got {}", bytes.len()))?;
        Ok(Self(bytes))
    }

    fn into_bytes(self) -> Vec<u8> {
        self.0.to_vec()
    }

    fn from_head(head: Vec<u8>) -> Self {
        let mut bytes = [0; 32];
        bytes[..HEAD_BYTES].copy_from_slice(&head);
        Self(bytes)
    }

    fn into_head(self) -> Vec<u8> {
        self.0[..HEAD_BYTES].to_vec()
    }
}
