//! Numbers of few bytes, and sorted lists of them.

/// Appends a number as LEB128.
pub(crate) fn put_number(bytes: &mut Vec<u8>, number: u64) {
    thinstate_formats::varint::put(bytes, number);
}

/// Appends how many indexes there are, and each as its distance to the one before it, less one. They
/// are sorted, and no two are the same.
pub(crate) fn put_indexes(bytes: &mut Vec<u8>, indexes: &[u64]) {
    put_number(bytes, indexes.len() as u64);
    let mut next = 0;
    for index in indexes {
        put_number(bytes, index - next);
        next = index.wrapping_add(1);
    }
}

/// Reads them back. Errors say what is wrong; [`Self::offset`] says where.
#[derive(Debug)]
pub(crate) struct Numbers<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Numbers<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn byte(&mut self) -> Result<u8, &'static str> {
        let byte = self.bytes.get(self.offset).ok_or("it ends too early")?;
        self.offset += 1;
        Ok(*byte)
    }

    pub(crate) fn number(&mut self) -> Result<u64, &'static str> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number has more than 64 bits")
    }

    pub(crate) fn indexes(&mut self) -> Result<Vec<u64>, &'static str> {
        let count = self.number()?;
        // Each takes a byte at least, so no count asks for more memory than the bytes are long.
        if count > (self.bytes.len() - self.offset) as u64 {
            return Err("more indexes than bytes");
        }
        let mut indexes = Vec::with_capacity(count as usize);
        let mut next = Some(0u64);
        for _ in 0..count {
            let distance = self.number()?;
            let index = next.and_then(|next| next.checked_add(distance));
            let index = index.ok_or("an index has more than 64 bits")?;
            indexes.push(index);
            next = index.checked_add(1);
        }
        Ok(indexes)
    }
}
