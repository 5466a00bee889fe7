//! The power goes at any moment; what the device has of the files is any mixture of their pages
//! since the last sync.

use super::*;
use crate::leaf_store::Fault;
use std::fs;

const PAGE: usize = 4096;

/// All files, as they were once.
#[derive(Clone, Debug, Default)]
struct Image {
    commit: u64,
    files: BTreeMap<String, Vec<u8>>,
}

fn image(commit: u64, dir: &Path) -> Image {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("list") {
        let entry = entry.expect("entry");
        let name = entry.file_name().into_string().expect("a name of ours");
        files.insert(name, fs::read(entry.path()).expect("read"));
    }
    Image { commit, files }
}

/// Chooses among the images, by a seed.
struct Mixer<'a> {
    images: &'a [Image],
    seed: u64,
}

impl Mixer<'_> {
    fn choose(&mut self, below: usize) -> usize {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.seed >> 33) as usize % below
    }

    /// A mixture of the images, page by page, into `dir`.
    fn write(&mut self, dir: &Path) {
        let names = self.images.iter().flat_map(|image| image.files.keys());
        let names: std::collections::BTreeSet<_> = names.collect();
        for name in names {
            let with = self.choose(self.images.len());
            let Some(file) = self.images[with].files.get(name) else {
                continue;
            };
            let mut mixed = vec![0; file.len()];
            for (at, page) in mixed.chunks_mut(PAGE).enumerate() {
                // A header is written only once the length that it says is durable.
                let among = if at == 0 { with + 1 } else { self.images.len() };
                let from = self.choose(among);
                let from = self.images[from].files.get(name).unwrap_or(file);
                if let Some(bytes) = from.get(at * PAGE..at * PAGE + page.len()) {
                    page.copy_from_slice(bytes);
                }
            }
            fs::write(dir.join(name), mixed).expect("write");
        }
    }
}

fn commits(store: &MemoryStore) -> (u64, u64) {
    let head = super::super::head::SpentHead::read(&store.snapshot()).expect("read");
    head.map_or((0, 1), |head| (head.commit, head.kept_from))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn no_mixture_of_pages_opens_at_another_state_than_the_committed_one(
        steps in steps(12), seed: u64, fault in prop_oneof![
            Just(None), Just(Some(Fault::Refused)), Just(Some(Fault::Unacknowledged)),
        ],
    ) {
        let dir = tempfile::tempdir().expect("a directory");
        let mut bed = Bed::new(Some(dir.path()));
        let mut images = vec![image(0, dir.path())];
        for step in &steps {
            bed.step(step);
            images.push(image(commits(&bed.store).0, dir.path()));
        }
        // The last block fails before, during, or right after its commit.
        let changes = bed.changes(&Step::Append(70_000)).expect("changes");
        let mut batch = Batch::default();
        let staged = bed.fields.stage(&changes, &mut batch).expect("stage");
        let (commit, _) = commits(&bed.store);
        images.push(image(commit, dir.path()));
        if let Some(fault) = fault {
            bed.store.inject(fault, 0);
        }
        let committed = bed.store.commit(batch);
        prop_assert_eq!(committed.is_err(), fault.is_some());
        if fault != Some(Fault::Refused) {
            bed.model.apply(&changes);
        }
        if committed.is_ok() {
            bed.fields.publish(staged);
            images.push(image(commit + 1, dir.path()));
        }
        let store = bed.store.reopen();
        let (_, kept_from) = commits(&store);
        let images: Vec<_> = images.into_iter().filter(|i| i.commit + 1 >= kept_from).collect();
        for round in 0..4 {
            let crashed = tempfile::tempdir().expect("a directory");
            Mixer { images: &images, seed: seed.wrapping_add(round) }.write(crashed.path());
            let store = store.reopen();
            let fields = open(&store, Some(crashed.path())).expect("the committed state");
            bed.model.assert_shown_by(&fields);
            // And it goes on from there.
            let mut bed = Bed { store, fields, model: bed.model.clone(), undo: Vec::new() };
            bed.step(&Step::Append(9_000));
            bed.step(&Step::Spend(vec![seed, seed >> 3]));
            bed.step(&Step::Undo);
            bed.step(&Step::Undo);
            prop_assert_eq!(bed.fields.root(), bed.model.root());
        }
    }

    #[test]
    fn no_file_from_later_than_the_store_opens_as_another_state(steps in steps(10), seed: u64) {
        let dir = tempfile::tempdir().expect("a directory");
        let mut bed = Bed::new(Some(dir.path()));
        bed.step(&Step::Append(90_000));
        let mut past = Vec::new();
        let mut images = Vec::new();
        for step in &steps {
            past.push((bed.store.reopen(), bed.model.clone()));
            images.push(image(0, dir.path()));
            bed.step(step);
        }
        images.push(image(0, dir.path()));
        let at = Mixer { images: &images, seed }.choose(past.len());
        let (store, model) = &past[at];
        let crashed = tempfile::tempdir().expect("a directory");
        Mixer { images: &images[at..], seed }.write(crashed.path());
        match open(&store.reopen(), Some(crashed.path())) {
            Ok(fields) => model.assert_shown_by(&fields),
            Err(error) => prop_assert!(matches!(
                error,
                SpentError::RootMismatch { .. } | SpentError::Missing { .. } | SpentError::Truncated { .. }
            ), "{}", error),
        }
    }
}
