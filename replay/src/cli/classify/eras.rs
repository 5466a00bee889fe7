//! Years to sum up by.

use core::{fmt, str::FromStr};

/// Years, first and last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Eras {
    first: u64,
    last: u64,
}

impl Eras {
    /// Whether a block of this time belongs to it.
    pub(super) fn contains(self, timestamp: u64) -> bool {
        (self.first..=self.last).contains(&year(timestamp))
    }
}

/// The year of a time in seconds since 1970, in UTC.
pub(super) fn year(timestamp: u64) -> u64 {
    // Days since 0000-03-01 of the proleptic Gregorian calendar, in cycles of 400 years.
    const EPOCH_DAYS: u64 = 719_468;
    const CYCLE_DAYS: u64 = 146_097;
    let days = timestamp / 86_400 + EPOCH_DAYS;
    let (cycle, day) = (days / CYCLE_DAYS, days % CYCLE_DAYS);
    let in_cycle = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * in_cycle + in_cycle / 4 - in_cycle / 100);
    // The year of this count begins in March: its last 60 days belong to the next one.
    cycle * 400 + in_cycle + u64::from(day_of_year >= 306)
}

impl FromStr for Eras {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let parse = |year: &str| {
            let number = year.trim().parse();
            number.map_err(|_| format!("{year:?} is no year, expected 2022 or 2015-2017"))
        };
        let (first, last) = (parse(first)?, parse(last)?);
        if first > last {
            return Err(format!("{first} is after {last}"));
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for Eras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        match first == last {
            true => write!(f, "{first}"),
            false => write!(f, "{first}-{last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_neither_begins_early_nor_ends_late() {
        // `date -u -d @N +%Y`
        let times = [
            (0, 1970),
            (1_438_269_973, 2015),
            (1_451_606_399, 2015),
            (1_451_606_400, 2016),
            (1_582_934_400, 2020),
            (1_609_459_199, 2020),
            (1_609_459_200, 2021),
            (1_772_323_200, 2026),
            (4_107_542_400, 2100),
        ];
        for (time, expected) in times {
            assert_eq!(year(time), expected, "{time}");
        }
    }

    #[test]
    fn an_era_is_not_taken_for_another() {
        let era: Eras = "2015-2017".parse().expect("years");
        assert!(era.contains(1_451_606_400) && !era.contains(1_609_459_200));
        assert_eq!(era.to_string(), "2015-2017");
        assert_eq!("2022".parse::<Eras>().expect("a year").to_string(), "2022");
        for text in ["", "2017-2015", "2015-", "x"] {
            assert!(text.parse::<Eras>().is_err(), "{text}");
        }
    }
}
