//! Memory for a transfer past the page cache, which covers more than what was asked for.

/// Transfers past the page cache begin and end at multiples of this, in the file and in memory; no
/// device has larger blocks.
pub(super) const ALIGNMENT: usize = 4096;

/// Memory for a part of a file, and the wanted part of that.
///
/// ```text
/// memory  |  begin  |           len            |
///                   |  skip  |  wanted  |
///                   ^ offset
/// ```
#[derive(Debug)]
pub(super) struct Cover {
    memory: Vec<u8>,
    begin: usize,
    len: usize,
    offset: u64,
    skip: usize,
    wanted: usize,
}

impl Cover {
    /// Just what is wanted.
    pub(super) fn exact(offset: u64, wanted: usize) -> Self {
        Self {
            memory: vec![0; wanted],
            begin: 0,
            len: wanted,
            offset,
            skip: 0,
            wanted,
        }
    }

    /// The aligned blocks in which it lies.
    pub(super) fn aligned(offset: u64, wanted: usize) -> Self {
        let skip = (offset % ALIGNMENT as u64) as usize;
        let len = (skip + wanted).next_multiple_of(ALIGNMENT);
        let memory = vec![0; len + ALIGNMENT];
        let begin = memory.as_ptr().align_offset(ALIGNMENT);
        Self {
            memory,
            begin,
            len,
            offset: offset - skip as u64,
            skip,
            wanted,
        }
    }

    /// Where the memory belongs in the file.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// All of the memory.
    pub(super) fn memory(&mut self) -> &mut [u8] {
        &mut self.memory[self.begin..][..self.len]
    }

    /// Where the wanted part begins in the file, and its bytes.
    pub(super) const fn request(&self) -> (u64, usize) {
        (self.offset + self.skip as u64, self.wanted)
    }

    /// What is still wanted, and where, when the first `got` bytes of the memory are there.
    pub(super) fn rest(&mut self, got: usize) -> (u64, &mut [u8]) {
        let done = got.saturating_sub(self.skip).min(self.wanted);
        let offset = self.offset + (self.skip + done) as u64;
        let rest = &mut self.memory[self.begin + self.skip..][..self.wanted];
        (offset, &mut rest[done..])
    }

    /// The wanted part.
    pub(super) fn wanted(&self) -> &[u8] {
        &self.memory[self.begin + self.skip..][..self.wanted]
    }

    /// The same, without a copy where there is nothing beside it.
    pub(super) fn into_wanted(self) -> Vec<u8> {
        if self.wanted == self.memory.len() {
            self.memory
        } else {
            self.wanted().to_vec()
        }
    }
}
