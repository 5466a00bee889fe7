//! The CPU.

use super::text::{field, read};

/// Those of its instructions that hashing, checksums or big numbers use.
const FLAGS: [&str; 10] = [
    "aes",
    "avx",
    "avx2",
    "avx512f",
    "avx512vl",
    "bmi2",
    "adx",
    "pclmulqdq",
    "sha_ni",
    "sse4_2",
];

/// On 64-bit ARM: the same.
const FEATURES: [&str; 7] = ["aes", "crc32", "pmull", "sha1", "sha2", "sha3", "sve"];

/// Which of these it has.
pub(super) fn flags(cpuinfo: &str) -> Vec<String> {
    let of = |name: &str, wanted: &[&str]| -> Vec<String> {
        let all = field(cpuinfo, name).unwrap_or_default();
        let all: Vec<_> = all.split(' ').collect();
        let has = wanted.iter().filter(|flag| all.contains(flag));
        has.map(|flag| (*flag).to_owned()).collect()
    };
    [of("flags", &FLAGS), of("Features", &FEATURES)].concat()
}

/// Cores that a process may run on, of what its `status` lists as `0-3,8`: a list that has cores that could be plugged in,
/// too. Only those count that are also `online`, a list of the same form, where that is known.
pub(super) fn cores_allowed(status: &str, online: Option<&str>) -> Option<u64> {
    let allowed = ranges(&field(status, "Cpus_allowed_list")?)?;
    let online = online
        .and_then(ranges)
        .unwrap_or_else(|| vec![(0, u64::MAX)]);
    let common = |a: &(u64, u64), b: &(u64, u64)| {
        let cores = a.1.min(b.1).checked_sub(a.0.max(b.0))?;
        cores.checked_add(1)
    };
    let counts = allowed
        .iter()
        .flat_map(|a| online.iter().filter_map(move |b| common(a, b)));
    counts.reduce(u64::saturating_add)
}

/// First and last number of each range of a list.
fn ranges(list: &str) -> Option<Vec<(u64, u64)>> {
    let range = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some((first, last))
    };
    list.split(',').map(range).collect()
}

/// Its last level of cache, in KiB.
pub(super) fn last_level_cache_kb() -> Option<u64> {
    let size = |index: u32| {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size");
        let text = read(path)?;
        text.strip_suffix('K')?.parse().ok()
    };
    (0..8).map_while(size).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_core_that_is_allowed_is_left_out() {
        assert_eq!(allowed("0", None), Some(1));
        assert_eq!(allowed("0-3,8,10-11", None), Some(7));
        assert_eq!(allowed("0-3,8,10-11", Some("0-15")), Some(7));
        for damaged in ["3-1", "x", "0-", "0,"] {
            assert_eq!(allowed(damaged, Some("0-1")), None, "{damaged}");
        }
        assert_eq!(cores_allowed("Cpus_allowed:\tff\n", None), None);
    }

    #[test]
    fn no_core_that_is_not_online_is_allowed() {
        assert_eq!(allowed("0-127", Some("0-3")), Some(4));
        assert_eq!(allowed("0-1,4-7", Some("1-4,6")), Some(3));
        assert_eq!(allowed("8", Some("0-3")), None);
    }

    fn allowed(list: &str, online: Option<&str>) -> Option<u64> {
        let status = format!("Cpus_allowed:\tff\nCpus_allowed_list:\t{list}\n");
        cores_allowed(&status, online)
    }

    #[test]
    fn a_flag_is_not_taken_for_another() {
        let cpuinfo = "vendor_id\t: X\nflags\t\t: fpu avx512vl sha_ni sse4_1\n";
        assert_eq!(flags(cpuinfo), ["avx512vl", "sha_ni"]);
        assert_eq!(flags("Features\t: fp sha2\n"), ["sha2"]);
        assert!(flags("").is_empty());
    }
}
