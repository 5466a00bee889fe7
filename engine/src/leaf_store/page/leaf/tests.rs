//! Against a map, and against damage.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const ID: PageId = PageId(7);

fn page(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> Page {
    let mut builder = PageBuilder::new(4096);
    for (key, value) in entries {
        assert!(builder.push(key, Stored::Inline(value)), "they fit");
    }
    let mut bytes = builder.finish(Table::Storage, 3);
    seal(&mut bytes, ID);
    Page::decode(bytes, ID, Table::Storage).expect("it was just built")
}

fn any_entries() -> impl Strategy<Value = BTreeMap<Vec<u8>, Vec<u8>>> {
    let key = || proptest::collection::vec(0..3_u8, 0..12);
    let value = proptest::collection::vec(any::<u8>(), 0..20);
    proptest::collection::btree_map(key(), value, 0..90)
}

proptest! {
    #[test]
    fn every_key_is_found_where_a_map_has_it(
        entries in any_entries(),
        asked in proptest::collection::vec(proptest::collection::vec(0..4_u8, 0..13), 0..20),
    ) {
        let page = page(&entries);
        let mut cursor = page.cursor(Vec::new());
        for (key, value) in &entries {
            prop_assert!(cursor.advance());
            prop_assert_eq!(&cursor.key, key);
            prop_assert_eq!(cursor.value, Stored::Inline(value));
        }
        prop_assert!(!cursor.advance());
        for key in entries.keys().chain(&asked) {
            let value = entries.get(key).map(|value| Stored::Inline(value));
            prop_assert_eq!(page.get(key), value);
            let mut cursor = page.cursor(Vec::new());
            let found = cursor.seek(key).then(|| cursor.key.clone());
            let mut behind = entries.range(key.clone()..);
            prop_assert_eq!(found.as_ref(), behind.next().map(|(key, _)| key));
            let found = (found.is_some() && cursor.advance()).then_some(&cursor.key);
            prop_assert_eq!(found, behind.next().map(|(key, _)| key));
            for inclusive in [false, true] {
                let before = entries.keys().rfind(|k| *k < key || (inclusive && *k == key));
                let mut cursor = page.cursor(Vec::new());
                let found = cursor.seek_last(key, inclusive);
                prop_assert_eq!(found.then_some(&cursor.key), before);
                if let Some(before) = before {
                    prop_assert_eq!(cursor.value, Stored::Inline(&entries[before]));
                }
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut page = vec![0; 512];
        page[HEADER..HEADER + bytes.len()].copy_from_slice(&bytes);
        page[..4].copy_from_slice(&MAGIC);
        page[4] = VERSION;
        page[5] = Table::Meta as u8;
        page[6] = bytes.first().copied().unwrap_or(0) % 32;
        page[20..24].copy_from_slice(&((HEADER + bytes.len()) as u32).to_le_bytes());
        page[24] = page[6].div_ceil(16);
        seal(&mut page, ID);
        // Whatever passes the checks can be read to its end.
        if let Ok(page) = Page::decode(page, ID, Table::Meta) {
            let mut cursor = page.cursor(Vec::new());
            while cursor.advance() {}
            page.get(&bytes);
        }
    }
}

#[test]
fn no_flipped_bit_passes() {
    let entries: BTreeMap<_, _> = (0..40_u8).map(|i| (vec![i; 20], vec![i; 5])).collect();
    let mut builder = PageBuilder::new(2048);
    for (key, value) in &entries {
        assert!(builder.push(key, Stored::Inline(value)), "they fit");
    }
    let mut bytes = builder.finish(Table::Storage, 3);
    seal(&mut bytes, ID);
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(
            Page::decode(damaged, ID, Table::Storage).is_err(),
            "bit {bit}"
        );
    }
    assert!(Page::decode(bytes.clone(), PageId(8), Table::Storage).is_err());
    assert!(Page::decode(bytes, ID, Table::Accounts).is_err());
}
