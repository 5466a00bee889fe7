//! What every disk must hold to, and what only the operating system's can do.

#![expect(clippy::unwrap_used, reason = "a failed test should stop")]

use super::super::super::StoreError;
use super::{Disk, DiskFile, OsDisk, OsOptions, SimDisk};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

const PAGES: &str = "pages";

const DIRECT: OsOptions = OsOptions {
    direct_file: Some(PAGES),
    io_uring: true,
};

const DIRECT_THREADS: OsOptions = OsOptions {
    io_uring: false,
    ..DIRECT
};

const THREADS: OsOptions = OsOptions {
    direct_file: None,
    io_uring: false,
};

fn os(options: OsOptions) -> (OsDisk, TempDir) {
    let folder = TempDir::new().unwrap();
    let disk = OsDisk::open(folder.path(), options).unwrap();
    (disk, folder)
}

/// Runs a scenario on every disk.
macro_rules! on_every_disk {
    ($($name:ident => $scenario:path;)*) => {
        mod sim { $(#[test] fn $name() { $scenario(&super::SimDisk::new()); })* }
        mod cached { $(#[test] fn $name() {
            $scenario(&super::os(super::OsOptions::default()).0);
        })* }
        mod threads { $(#[test] fn $name() { $scenario(&super::os(super::THREADS).0); })* }
        mod direct { $(#[test] fn $name() { $scenario(&super::os(super::DIRECT).0); })* }
        mod direct_threads { $(#[test] fn $name() {
            $scenario(&super::os(super::DIRECT_THREADS).0);
        })* }
    };
}

on_every_disk! {
    random_transfers_never_differ_from_a_vector => super::random_transfers;
    many_reads_answer_as_single_ones_do => super::many_reads;
    the_end_of_a_file_is_never_read_past => super::reads_at_the_end;
    files_are_listed_opened_and_removed => super::folder;
    counters_count_what_was_done => super::counters;
}

/// A length and a place, of whole blocks half of the time.
fn place(random: &mut ChaCha8Rng) -> (usize, usize) {
    if random.random_bool(0.5) {
        let block = 4096;
        return (
            block * random.random_range(0..24_usize),
            block * random.random_range(1..5_usize),
        );
    }
    (
        random.random_range(0..100_000),
        random.random_range(0..9_000),
    )
}

fn random_transfers(disk: &impl Disk) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let file = disk.open(PAGES).unwrap();
    let mut model: Vec<u8> = Vec::new();
    for step in 0..400_u32 {
        let (at, len) = place(&mut random);
        match random.random_range(0..10) {
            0..=4 => {
                let bytes: Vec<u8> = (0..len).map(|_| random.random()).collect();
                file.write_at(at as u64, &bytes).unwrap();
                if len > 0 {
                    model.resize(model.len().max(at + len), 0);
                    model[at..at + len].copy_from_slice(&bytes);
                }
            }
            5 => {
                file.set_len(at as u64).unwrap();
                model.resize(at, 0);
            }
            6 => file.sync().unwrap(),
            _ => {
                let at = at.min(model.len());
                let len = len.min(model.len() - at);
                let mut bytes = vec![0; len];
                file.read_at(at as u64, &mut bytes).unwrap();
                assert!(bytes == model[at..at + len], "step {step}: {len} at {at}");
            }
        }
        assert_eq!(file.len().unwrap(), model.len() as u64, "step {step}");
    }
    let mut bytes = vec![0; model.len()];
    disk.open(PAGES).unwrap().read_at(0, &mut bytes).unwrap();
    assert!(bytes == model, "another handle sees the same");
}

/// A file of 64 pages and a few bytes, of random content.
fn filled<D: Disk>(disk: &D) -> (D::File, Vec<u8>) {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let bytes: Vec<u8> = (0..64 * 4096 + 77).map(|_| random.random()).collect();
    let file = disk.open(PAGES).unwrap();
    file.write_at(0, &bytes).unwrap();
    (file, bytes)
}

fn many_reads(disk: &impl Disk) {
    let (file, bytes) = filled(disk);
    let mut random = ChaCha8Rng::seed_from_u64(3);
    assert!(file.read_many(&[]).is_empty());
    // More than are in flight at once, and some past the end.
    for count in [1, 2, 63, 64, 65, 300] {
        let requests: Vec<(u64, usize)> = (0..count)
            .map(|_| place(&mut random))
            .map(|(at, len)| (3 * at as u64, len))
            .chain([(5, 0), (bytes.len() as u64 - 9, 9), (u64::MAX, 1)])
            .collect();
        let answers = file.read_many(&requests);
        assert_eq!(answers.len(), requests.len());
        for (&(at, len), answer) in requests.iter().zip(answers) {
            let from = at as usize;
            match bytes.get(from..from.saturating_add(len)) {
                Some(expected) => assert!(answer.unwrap() == expected, "{len} at {at}"),
                None if len == 0 => assert!(answer.unwrap().is_empty()),
                None => assert!(
                    matches!(answer, Err(StoreError::Corrupt { .. })),
                    "{len} at {at}"
                ),
            }
        }
    }
}

fn reads_at_the_end(disk: &impl Disk) {
    let (file, bytes) = filled(disk);
    let end = bytes.len() as u64;
    let mut last = [0; 8];
    file.read_at(end - 8, &mut last).unwrap();
    assert_eq!(last, bytes[bytes.len() - 8..]);
    for (offset, got) in [(end - 7, 7), (end, 0), (end + 5000, 0)] {
        let error = file.read_at(offset, &mut [0; 8]).unwrap_err();
        let StoreError::Corrupt { path, message } = error else {
            panic!("{error}");
        };
        assert!(path.ends_with(PAGES));
        let expected =
            format!("expected 8 bytes at offset {offset}, got {got} before the end of the file");
        assert_eq!(message, expected);
        let answers = file.read_many(&[(offset, 8), (0, 1)]);
        let [many, _] = &answers[..] else {
            panic!("two requests have two answers");
        };
        let Err(StoreError::Corrupt { message, .. }) = many else {
            panic!("{many:?}");
        };
        assert_eq!(*message, expected);
    }
}

fn folder(disk: &impl Disk) {
    assert!(disk.list().unwrap().is_empty());
    for name in ["b", "a", "c"] {
        let file = disk.open(name).unwrap();
        file.write_at(0, name.as_bytes()).unwrap();
    }
    let removed = disk.open("b").unwrap();
    disk.remove("b").unwrap();
    disk.sync_folder().unwrap();
    assert_eq!(disk.list().unwrap(), ["a", "c"]);
    let mut byte = [0];
    removed.read_at(0, &mut byte).unwrap();
    assert_eq!(byte, *b"b", "a handle outlives the name");
    assert_eq!(disk.open("b").unwrap().len().unwrap(), 0, "a new file");
    disk.open("a").unwrap().read_at(0, &mut byte).unwrap();
    assert_eq!(byte, *b"a");
    let error = disk.remove("never").unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Io {
                operation: "remove",
                ..
            }
        ),
        "{error}"
    );
}

fn counters(disk: &impl Disk) {
    let (file, bytes) = filled(disk);
    file.write_at(10, b"ten").unwrap();
    file.read_at(10, &mut [0; 3]).unwrap();
    assert_eq!(
        file.read_many(&[(0, 4096), (8192, 100), (u64::MAX, 1)])
            .len(),
        3
    );
    file.sync().unwrap();
    let done = file.counters();
    assert_eq!((done.reads, done.read_bytes), (3, 3 + 4096 + 100));
    assert_eq!(
        (done.writes, done.written_bytes),
        (2, bytes.len() as u64 + 3)
    );
    assert_eq!(done.syncs, 1);
}

#[test]
fn a_folder_is_never_opened_twice() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store").join("pages");
    let first = OsDisk::open(&path, OsOptions::default()).unwrap();
    let file = first.open("file").unwrap();
    let refused = || {
        let second = OsDisk::open(&path, OsOptions::default());
        let Err(StoreError::Locked { path: held, .. }) = second else {
            panic!("{second:?}");
        };
        assert_eq!(held, path);
    };
    refused();
    drop(first);
    refused();
    drop(file);
    let again = OsDisk::open(&path, OsOptions::default()).unwrap();
    assert_eq!(again.list().unwrap(), ["file"]);
}

#[test]
fn only_the_file_of_pages_goes_past_the_page_cache() {
    let (disk, _folder) = os(DIRECT);
    assert!(!disk.open("log").unwrap().is_direct());
    let pages = disk.open(PAGES).unwrap();
    if !pages.is_direct() {
        println!("skipped: the file system of the temporary folder has no direct transfers");
        return;
    }
    pages.write_at(0, &[7; 8192]).unwrap();
    pages.write_at(4000, &[8; 200]).unwrap();
    let mut bytes = [0; 4096];
    pages.read_at(4096, &mut bytes).unwrap();
    assert_eq!((bytes[103], bytes[104]), (8, 7), "both ways show the same");
    assert!(pages.is_direct(), "and whole blocks were not refused");
}

#[test]
fn threads_read_where_io_uring_does_not() {
    let (disk, _folder) = os(THREADS);
    assert_eq!(disk.read_method(), "threads");
    let (disk, _folder) = os(OsOptions::default());
    if disk.read_method() != "io_uring" {
        println!("skipped: the kernel lets this process use no io_uring");
    }
}

#[test]
fn readers_of_many_threads_get_their_own_answers() {
    for options in [OsOptions::default(), THREADS, DIRECT] {
        let (disk, _folder) = os(options);
        let (file, bytes) = filled(&disk);
        std::thread::scope(|scope| {
            for thread in 0..6_u64 {
                let (file, bytes) = (&file, &bytes);
                scope.spawn(move || {
                    for round in 0..20 {
                        let requests: Vec<_> = (0..40)
                            .map(|index| (4096 * ((index * 7 + thread + round) % 64), 4096))
                            .collect();
                        for (request, answer) in requests.iter().zip(file.read_many(&requests)) {
                            let from = request.0 as usize;
                            assert!(answer.unwrap() == bytes[from..from + 4096]);
                        }
                    }
                });
            }
        });
    }
}

#[test]
fn errors_name_operation_and_place() {
    let (disk, folder) = os(OsOptions::default());
    std::fs::create_dir(folder.path().join("not-a-file")).unwrap();
    let Err(StoreError::Io {
        operation, path, ..
    }) = disk.open("not-a-file")
    else {
        panic!("a folder was opened as a file");
    };
    assert_eq!(operation, "open");
    assert_eq!(path, folder.path().join("not-a-file"));
    let file = disk.open("file").unwrap();
    let Err(StoreError::Io {
        operation, message, ..
    }) = file.write_at(u64::MAX - 9, b"far")
    else {
        panic!("no file is as long");
    };
    assert_eq!(operation, "write");
    assert!(
        message.starts_with("3 bytes at offset 18446744073709551606: "),
        "{message}"
    );
}
