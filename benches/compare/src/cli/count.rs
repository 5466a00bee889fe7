//! Numbers of things, as people write them: `1M`, `50k`, `1000`.

use std::str::FromStr;

/// A number of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count(pub(super) u64);

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("expected a number above 0 like 1000, 50k or 10M, got {text:?}");
        let (digits, factor) = match text.strip_suffix(['k', 'K']) {
            Some(digits) => (digits, 1_000),
            None => match text.strip_suffix('M') {
                Some(digits) => (digits, 1_000_000),
                None => (text, 1),
            },
        };
        let number: u64 = digits.parse().map_err(|_| refused())?;
        let number = number.checked_mul(factor).filter(|it| *it > 0);
        number.map(Self).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_another_number() {
        for (text, expected) in [
            ("7", 7),
            ("1k", 1_000),
            ("50K", 50_000),
            ("10M", 10_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Count(expected)));
        }
        for text in [
            "",
            "0",
            "k",
            "1m",
            "-1",
            "1.5M",
            "99999999999999999999",
            "99999999999999M",
        ] {
            assert!(text.parse::<Count>().is_err(), "{text}");
        }
    }
}
