//! Why bytes or a document are no access list.

/// The bytes, or the document, are no access list.
#[derive(Debug, thiserror::Error)]
pub enum AccessListCodecError {
    /// The bytes are no list. Check that they are the RLP of a list, and of nothing else.
    #[error("not the RLP of an access list")]
    Rlp(#[source] alloy_rlp::Error),
    /// Bytes are left over behind the list.
    #[error("{left} bytes behind the end of the access list")]
    Trailing {
        /// How many.
        left: usize,
    },
    /// The document is no list.
    #[error("not the JSON of an access list, as eth_getBlockAccessList returns it")]
    Json(#[from] serde_json::Error),
}
