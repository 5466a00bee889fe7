//! A store of pages.

#[cfg_attr(
    not(test),
    expect(
        dead_code,
        unused_imports,
        reason = "the store that stands on it is written beside it"
    )
)]
mod disk;
