//! What is not there is said not to be, and no wrong page is written.

use super::*;
use thinstate_formats::LeafIndex;

#[test]
fn no_deleted_period_is_served() {
    let (folder, all) = (folder(), leaves(20));
    let archive = open(folder.path());
    let other = PeriodId(13);
    write(&archive, PERIOD, &all, 2);
    write(&archive, other, &all[..5], 0);
    assert_eq!(archive.periods(), [PERIOD, other]);
    let mut reading = archive.leaves(PERIOD).expect("archived");
    let first = reading.next().expect("a leaf").expect("no damage");
    archive.delete(PERIOD).expect("archived");
    let rest: Vec<_> = reading
        .collect::<Result<_, _>>()
        .expect("the mapping stays");
    assert_eq!([&[first][..], &rest].concat(), all);

    let not_archived = |archive: &PeriodArchive| {
        let location = all[0].location;
        let errors = [
            archive.prove(PERIOD, &location).expect_err("deleted"),
            archive
                .prove_many(PERIOD, &[location])
                .expect_err("deleted"),
            archive.leaf(PERIOD, &location).expect_err("deleted"),
            archive.leaf_at(PERIOD, LeafIndex(0)).expect_err("deleted"),
            archive.leaves(PERIOD).expect_err("deleted"),
            archive.segment(PERIOD).expect_err("deleted"),
            archive.verify(PERIOD).expect_err("deleted"),
            archive.delete(PERIOD).expect_err("deleted"),
        ];
        for error in errors {
            assert!(
                matches!(error, PeriodArchiveError::NotArchived { period: PERIOD }),
                "{error}"
            );
            assert_eq!(error.to_string(), "period 12 is not archived here");
        }
        assert_eq!(archive.periods(), [other]);
    };
    not_archived(&archive);
    drop(archive);
    not_archived(&open(folder.path()));
}

#[test]
fn no_leaf_that_is_not_there_is_served() {
    let (folder, all) = (folder(), leaves(20));
    let archive = open(folder.path());
    write(&archive, PERIOD, &all, 2);
    let error = archive
        .leaf_at(PERIOD, LeafIndex(20))
        .expect_err("20 leaves");
    assert_eq!(
        error.to_string(),
        "period 12: expected a leaf index below 20, got 20"
    );
    let absent = B256::repeat_byte(7);
    let mut locations = vec![all[0].location, absent];
    locations.sort();
    let error = archive.prove_many(PERIOD, &locations).expect_err("absent");
    assert!(matches!(error, PeriodArchiveError::Absent { location, .. } if location == absent));
    for locations in [&[][..], &[absent, absent], &[B256::repeat_byte(8), absent]] {
        let error = archive
            .prove_many(PERIOD, locations)
            .expect_err("not ascending");
        assert!(
            matches!(error, PeriodArchiveError::Locations { .. }),
            "{error}"
        );
    }
}

#[test]
fn no_wrong_page_is_written() {
    let (folder, all) = (folder(), leaves(40));
    let archive = open(folder.path());
    let bits = 2;
    let mut writer = archive.writer(PERIOD, bits, 0).expect("new");
    append(&mut writer, &all, bits, 1);
    let (good, node) = page(&all, bits, 1);
    let (other, other_node) = page(&all, bits, 2);
    let mut refused = |leaves: &[Leaf], node| {
        let error = writer.append_page(leaves, node).expect_err("a wrong page");
        assert!(error.to_string().starts_with("page 1: "), "{error}");
        error
    };
    let stray = refused(&other, other_node);
    assert!(
        matches!(stray, PeriodArchiveError::PagePrefix { .. }),
        "{stray}"
    );
    let mut swapped = good.clone();
    swapped.swap(0, 1);
    let unsorted = refused(&swapped, node);
    assert!(
        matches!(unsorted, PeriodArchiveError::PageOrder { .. }),
        "{unsorted}"
    );
    let fewer = refused(&good[1..], node);
    assert!(
        matches!(fewer, PeriodArchiveError::PageNode { .. }),
        "{fewer}"
    );
    let hash = B256::repeat_byte(1);
    let empty = refused(&[], Node { hash, count: 0 });
    assert!(
        matches!(empty, PeriodArchiveError::PageNode { .. }),
        "{empty}"
    );

    append(&mut writer, &all, bits, 4);
    let more = writer
        .append_page(&[], Node::EMPTY)
        .expect_err("a fifth page");
    let (expected, got) = (4, 5);
    assert!(
        matches!(more, PeriodArchiveError::PageCount { expected: e, got: g, .. } if (e, g) == (expected, got)),
        "{more}"
    );
    assert_eq!(
        writer.finish().expect("no refusal left a trace"),
        root(&all)
    );
    archive.verify(PERIOD).expect("no damage");
}

#[test]
fn no_segment_is_finished_early() {
    let (folder, all) = (folder(), leaves(40));
    let archive = open(folder.path());
    let mut writer = archive.writer(PERIOD, 2, 0).expect("new");
    append(&mut writer, &all, 2, 3);
    let error = writer.finish().expect_err("a page is missing");
    assert!(
        error.to_string().ends_with("expected 4 pages, got 3"),
        "{error}"
    );
    assert_eq!(archive.periods(), []);
    let error = archive.writer(PERIOD, 2, 5).expect_err("four pages");
    assert!(
        error.to_string().ends_with("expected 4 pages, got 5"),
        "{error}"
    );
    let error = archive.writer(PERIOD, 25, 0).expect_err("too many pages");
    assert!(
        matches!(error, PeriodArchiveError::PageBits { got: 25 }),
        "{error}"
    );
    let error = archive
        .writer(PERIOD, 3, 1)
        .expect_err("another number of pages");
    assert!(
        matches!(error, PeriodArchiveError::PagesMissing { got: 0, .. }),
        "{error}"
    );
}

#[test]
fn no_two_hold_the_same() {
    let folder = folder();
    let archive = open(folder.path());
    let second = PeriodArchive::open(folder.path(), HASH, Check::Structure);
    assert!(
        matches!(second, Err(PeriodArchiveError::Locked { .. })),
        "{second:?}"
    );
    let writer = archive.writer(PERIOD, 2, 0).expect("new");
    let second = archive.writer(PERIOD, 2, 0);
    assert!(
        matches!(second, Err(PeriodArchiveError::Locked { .. })),
        "{second:?}"
    );
    drop(writer);
    archive.writer(PERIOD, 2, 0).expect("nobody holds it");
    drop(archive);
    open(folder.path());
}
