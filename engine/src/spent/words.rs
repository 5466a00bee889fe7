//! The words of a field: in a mapped file, or in memory.

use super::{SpentError, mapped::MappedWords};
use thinstate_formats::bits::{Word, place, word_count};

/// The words of a field, with room for more.
#[derive(Debug)]
pub(super) struct Words {
    len: u64,
    backing: Backing,
}

#[derive(Debug)]
enum Backing {
    Memory(Vec<u8>),
    File(MappedWords),
}

impl Words {
    /// A field of zeros in memory.
    pub(super) fn in_memory(len: u64) -> Self {
        let mut words = Self {
            len,
            backing: Backing::Memory(Vec::new()),
        };
        words.grow_memory(len);
        words
    }

    pub(super) const fn in_file(len: u64, file: MappedWords) -> Self {
        Self {
            len,
            backing: Backing::File(file),
        }
    }

    /// Bits of the field.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    fn bytes(&self) -> &[u8] {
        match &self.backing {
            Backing::Memory(bytes) => bytes,
            Backing::File(file) => file.bytes(),
        }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.backing {
            Backing::Memory(bytes) => bytes,
            Backing::File(file) => file.bytes_mut(),
        }
    }

    /// A word; zero beyond the room there is.
    pub(super) fn word(&self, at: u64) -> Word {
        let (words, _) = self.bytes().as_chunks::<32>();
        let at = usize::try_from(at).ok();
        at.and_then(|at| words.get(at)).copied().unwrap_or([0; 32])
    }

    /// Whether a bit is set; `None` beyond the field's end.
    pub(super) fn bit(&self, index: u64) -> Option<bool> {
        let (at, byte, mask) = place(index);
        (index < self.len).then(|| self.word(at)[byte] & mask != 0)
    }

    /// Bits that are set. Reads all words.
    pub(super) fn ones(&self) -> u64 {
        let (words, _) = self.bytes().as_chunks::<8>();
        let ones = words
            .iter()
            .map(|word| u64::from_le_bytes(*word).count_ones());
        ones.map(u64::from).sum()
    }

    /// Sets a word, if there is room for it.
    pub(super) fn set_word(&mut self, at: u64, to: &Word) {
        let (words, _) = self.bytes_mut().as_chunks_mut::<32>();
        let at = usize::try_from(at).ok();
        if let Some(word) = at.and_then(|at| words.get_mut(at)) {
            *word = *to;
        }
    }

    /// Sets or clears a bit, if there is room for it.
    pub(super) fn set_bit(&mut self, index: u64, to: bool) {
        let (at, byte, mask) = place(index);
        let mut word = self.word(at);
        word[byte] = if to {
            word[byte] | mask
        } else {
            word[byte] & !mask
        };
        self.set_word(at, &word);
    }

    /// Makes room for a field of `len` bits, with zeros.
    pub(super) fn reserve(&mut self, len: u64) -> Result<(), SpentError> {
        match &mut self.backing {
            Backing::Memory(_) => self.grow_memory(len),
            Backing::File(file) => file.reserve(word_count(len))?,
        }
        Ok(())
    }

    fn grow_memory(&mut self, len: u64) {
        if let Backing::Memory(bytes) = &mut self.backing {
            let needed = 32 * word_count(len) as usize;
            bytes.resize(bytes.len().max(needed), 0);
        }
    }

    /// The field has `len` bits from now on; there is room for them.
    pub(super) const fn set_len(&mut self, len: u64) {
        self.len = len;
    }

    /// Makes everything beyond the field's end zero.
    pub(super) fn clear_tail(&mut self) {
        let (at, byte, mask) = place(self.len);
        let mut word = self.word(at);
        word[byte] &= mask - 1;
        word[byte + 1..].fill(0);
        if word != self.word(at) {
            self.set_word(at, &word);
        }
        let bytes = self.bytes_mut();
        let start = bytes.len().min(32 * (at as usize + 1));
        // Pages that are zero already are not touched.
        for page in bytes[start..].chunks_mut(4096) {
            if page.iter().any(|byte| *byte != 0) {
                page.fill(0);
            }
        }
    }

    /// Bytes in the file, if there is one.
    pub(super) fn file_bytes(&self) -> u64 {
        match &self.backing {
            Backing::Memory(_) => 0,
            Backing::File(file) => file.file_bytes(),
        }
    }

    /// Deletes the file, if there is one.
    pub(super) fn delete(self) -> Result<(), SpentError> {
        match self.backing {
            Backing::Memory(_) => Ok(()),
            Backing::File(file) => file.delete(),
        }
    }

    /// The file, if there is one.
    pub(super) const fn file(&self) -> Option<&MappedWords> {
        match &self.backing {
            Backing::Memory(_) => None,
            Backing::File(file) => Some(file),
        }
    }
}
