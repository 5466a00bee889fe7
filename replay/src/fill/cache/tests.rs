use super::*;
use std::{collections::BTreeMap, io};
use tempfile::TempDir;

const FILES: [(&str, &str); 5] = [
    ("CURRENT", "MANIFEST-1"),
    ("MANIFEST-1", "000001.sst"),
    ("000001.sst", "entries"),
    ("spent/bits", "0000"),
    ("LOG.old.1", "diagnostics"),
];

struct Fixture {
    folder: TempDir,
    cache: Cache,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let cache = Cache::new(folder.path().join("cache"));
        Self { folder, cache }
    }

    fn key() -> CacheKey {
        CacheKey::new("test").with("accounts", &7)
    }

    /// What a copy of the entry holds, and where it came from.
    fn get(&self, copy: &str) -> (Origin, BTreeMap<String, String>) {
        let into = self.folder.path().join(copy);
        let origin = self.cache.get_or_build(&Self::key(), &into, build);
        (origin.expect("an entry"), contents(&into))
    }

    fn entry(&self) -> PathBuf {
        self.cache.folder().join(Self::key().to_string())
    }
}

fn build(dir: &Path) -> io::Result<()> {
    fs::create_dir(dir.join("spent"))?;
    FILES
        .iter()
        .try_for_each(|(path, text)| fs::write(dir.join(path), text))
}

fn contents(dir: &Path) -> BTreeMap<String, String> {
    let read = |path: &str| Some((path.to_owned(), fs::read_to_string(dir.join(path)).ok()?));
    FILES.iter().filter_map(|(path, _)| read(path)).collect()
}

fn expected() -> BTreeMap<String, String> {
    let kept = FILES.iter().filter(|(path, _)| !path.starts_with("LOG"));
    kept.map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn no_entry_is_built_twice() {
    let fixture = Fixture::new();
    assert_eq!(fixture.get("a"), (Origin::Built, expected()));
    assert_eq!(fixture.get("b"), (Origin::Cached, expected()));
    let other = CacheKey::new("test").with("accounts", &8);
    assert_ne!(other.to_string(), Fixture::key().to_string());
    let into = fixture.folder.path().join("c");
    let built = fixture.cache.get_or_build(&other, &into, build);
    assert_eq!(built.expect("an entry"), Origin::Built);
}

#[test]
fn no_order_of_its_parts_changes_a_key() {
    let one = CacheKey::new("test").with("a", &1).with("b", &2);
    let other = CacheKey::new("test").with("b", &2).with("a", &1);
    assert_eq!(one.to_string(), other.to_string());
}

#[test]
fn no_copy_changes_the_entry() {
    let fixture = Fixture::new();
    fixture.get("a");
    let copy = fixture.folder.path().join("a");
    for path in ["CURRENT", "MANIFEST-1", "spent/bits"] {
        fs::write(copy.join(path), "overwritten").expect("a file of its own");
    }
    // RocksDB only ever unlinks it.
    fs::remove_file(copy.join("000001.sst")).expect("a link of its own");
    assert_eq!(fixture.get("b"), (Origin::Cached, expected()));
}

#[test]
fn no_damaged_entry_is_handed_out() {
    type Damage = fn(&Path) -> io::Result<()>;
    let damages: [Damage; 6] = [
        |entry| fs::write(entry.join("store/000001.sst"), "Entries"),
        |entry| fs::write(entry.join("store/000001.sst"), "entries and more"),
        |entry| fs::remove_file(entry.join("store/spent/bits")),
        |entry| fs::remove_file(entry.join("entry.json")),
        |entry| fs::write(entry.join("entry.json"), "{\"version\": 1"),
        |entry| fs::remove_dir_all(entry.join("store")),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let fixture = Fixture::new();
        fixture.get("a");
        // The copy has a link to the same file.
        fs::remove_dir_all(fixture.folder.path().join("a")).expect("removes");
        damage(&fixture.entry()).expect("damages");
        assert_eq!(fixture.get("b"), (Origin::Built, expected()), "{number}");
        assert_eq!(fixture.get("c"), (Origin::Cached, expected()), "{number}");
    }
}

#[test]
fn no_partial_entry_is_handed_out() {
    let fixture = Fixture::new();
    let into = fixture.folder.path().join("a");
    let failed = fixture
        .cache
        .get_or_build(&Fixture::key(), &into, |dir| -> io::Result<()> {
            build(dir)?;
            Err(io::ErrorKind::Interrupted.into())
        });
    assert!(matches!(failed, Err(CacheError::Build(_))));
    assert_eq!(contents(&into), BTreeMap::new());
    assert!(!fixture.entry().exists());
    // Nor what one that was killed has left.
    assert_eq!(fixture.get("b"), (Origin::Built, expected()));
}

#[test]
fn no_folder_with_files_is_filled() {
    let fixture = Fixture::new();
    let into = fixture.folder.path().join("a");
    fs::create_dir(&into).expect("a folder");
    fs::write(into.join("mine"), "keep").expect("a file");
    let refused = fixture.cache.get_or_build(&Fixture::key(), &into, build);
    assert!(matches!(refused, Err(CacheError::File(_))));
    assert_eq!(fs::read_dir(&into).expect("lists").count(), 1);
}

#[test]
fn what_a_build_has_left_is_gone_on_with_or_removed() {
    let fixture = Fixture::new();
    let interrupted = |copy: &str, text: &str| {
        let into = fixture.folder.path().join(copy);
        let failed = fixture
            .cache
            .get_or_resume(&Fixture::key(), &into, |dir| -> io::Result<()> {
                fs::write(dir.join("step"), text)?;
                Err(io::ErrorKind::Interrupted.into())
            });
        assert!(matches!(failed, Err(CacheError::Build(_))));
    };
    interrupted("a", "one");
    let into = fixture.folder.path().join("b");
    let found = std::cell::Cell::new(None);
    let origin = fixture.cache.get_or_resume(&Fixture::key(), &into, |dir| {
        found.set(fs::read_to_string(dir.join("step")).ok());
        clear(dir).map_err(|error| error.source)?;
        build(dir)
    });
    assert_eq!(origin.expect("an entry"), Origin::Built);
    assert_eq!(found.take().as_deref(), Some("one"));
    assert_eq!(contents(&into), expected());
    assert!(!into.join("step").exists());
    // Nobody goes on with an entry that was whole once.
    fs::write(fixture.entry().join("store/spent/bits"), "1111").expect("damages");
    interrupted("c", "two");
    assert_eq!(fixture.get("d"), (Origin::Built, expected()), "removed");
    assert!(!fixture.folder.path().join("d/step").exists());
}
