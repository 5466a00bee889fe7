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

/// Cores that a process may run on, of what its `status` lists as `0-3,8`.
pub(super) fn cores_allowed(status: &str) -> Option<u64> {
    let list = field(status, "Cpus_allowed_list")?;
    let count = |range: &str| -> Option<u64> {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        last.checked_sub(first)?.checked_add(1)
    };
    list.split(',').map(count).sum()
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
        let of =
            |list: &str| cores_allowed(&format!("Cpus_allowed:\tff\nCpus_allowed_list:\t{list}\n"));
        assert_eq!(of("0"), Some(1));
        assert_eq!(of("0-3,8,10-11"), Some(7));
        for damaged in ["3-1", "x", "0-", "0,"] {
            assert_eq!(of(damaged), None, "{damaged}");
        }
        assert_eq!(cores_allowed("Cpus_allowed:\tff\n"), None);
    }

    #[test]
    fn a_flag_is_not_taken_for_another() {
        let cpuinfo = "vendor_id\t: X\nflags\t\t: fpu avx512vl sha_ni sse4_1\n";
        assert_eq!(flags(cpuinfo), ["avx512vl", "sha_ni"]);
        assert_eq!(flags("Features\t: fp sha2\n"), ["sha2"]);
        assert!(flags("").is_empty());
    }
}
