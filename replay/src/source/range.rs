//! Which blocks: the range syntax of cryo, which people who extract chain data know.
//!
//! | text | blocks |
//! |---|---|
//! | `5000` | that one |
//! | `12M:13M` | from 12,000,000 up to and without 13,000,000 |
//! | `15M:+1000` | 1,000 from 15,000,000 on |
//! | `15.5M:` | from there to the latest one, with it; also `15.5M:latest` |
//! | `:700` | from 0 |
//! | `-1000:` | the last 1,000; `-1000:7000` is `6000:7000` |
//! | `2000:5000:1000` | every thousandth |
//! | `100:200/5` | five of them, evenly spaced, first and last among them: 100, 124, 149, 174, 199 |
//!
//! Several stand beside each other with commas or spaces between them. A number may have `_` between
//! its digits, a decimal point, and K, M or B behind it, if it comes out whole.
//!
//! ```
//! use thinstate_replay::source::range::BlockRanges;
//!
//! let ranges: BlockRanges = "15M:+3, 2K".parse()?;
//! let numbers: Vec<u64> = ranges.resolve(None)?.iter().map(|it| it.0).collect();
//! assert_eq!(numbers, [2_000, 15_000_000, 15_000_001, 15_000_002]);
//! # Ok::<(), thinstate_replay::source::range::RangeError>(())
//! ```

use core::{fmt, str::FromStr};
use std::collections::BTreeSet;
use thinstate_formats::BlockNumber;

/// Most blocks that ranges may resolve to. Mainnet has 25 million.
pub const BLOCKS_MAX: u64 = 100_000_000;

/// Ranges that mean nothing, or too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Nothing is named. Name a block.
    #[error("no blocks are named, expected as in 12M:13M, 15M:+1000, -1000: or 100:200/5")]
    Nothing,
    /// A number is not one. Correct it.
    #[error("`{text}`: `{number}` is not a whole number (as in 5000, 5_000, 5K, 15.5M)")]
    Number {
        /// The range.
        text: String,
        /// The part in question.
        number: String,
    },
    /// The text has more parts than a range has. Correct it.
    #[error("`{text}`: expected START:END, START:END:STEP or START:END/COUNT")]
    Shape {
        /// The range.
        text: String,
    },
    /// A step or count of zero. Leave it out for all blocks.
    #[error("`{text}`: expected a step or count above 0")]
    Zero {
        /// The range.
        text: String,
    },
    /// No block lies in the range. Ends are excluded: one block is `N`, or `N:+1`.
    #[error("`{text}`: no block lies between {start} and {end} (the end is excluded)")]
    Empty {
        /// The range.
        text: String,
        /// The first block that it could have.
        start: u64,
        /// The block before which it ends.
        end: u64,
    },
    /// A range counts from the latest block, of which the source knows nothing.
    #[error("`{text}` counts from the latest block, which only a node can tell")]
    NoLatest {
        /// The range.
        text: String,
    },
    /// A block above the latest one. Wait for it, or end earlier.
    #[error("`{text}`: block {number} is above the latest one, {latest}")]
    AboveLatest {
        /// The range.
        text: String,
        /// The block.
        number: u64,
        /// The latest one.
        latest: BlockNumber,
    },
    /// More blocks than any chain has.
    #[error("`{text}`: expected at most {limit} blocks, got {got}")]
    TooMany {
        /// The range.
        text: String,
        /// The limit.
        limit: u64,
        /// How many it would be.
        got: u64,
    },
}

/// Ranges of blocks, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRanges(Vec<BlockRange>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct BlockRange {
    text: String,
    start: Start,
    end: End,
    take: Take,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    At(u64),
    BeforeEnd(u64),
    /// The latest block alone.
    Latest,
}

/// Where a range ends; the block itself is excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    At(u64),
    AfterStart(u64),
    AfterLatest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Take {
    All,
    Every(u64),
    Count(u64),
}

impl FromStr for BlockRanges {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let parts = text.split(|c: char| c == ',' || c.is_whitespace());
        let ranges = parts.filter(|part| !part.is_empty()).map(BlockRange::parse);
        let ranges = ranges.collect::<Result<Vec<_>, _>>()?;
        if ranges.is_empty() {
            return Err(RangeError::Nothing);
        }
        Ok(Self(ranges))
    }
}

impl fmt::Display for BlockRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.0.iter().enumerate() {
            let gap = if at > 0 { "," } else { "" };
            write!(f, "{gap}{}", range.text)?;
        }
        Ok(())
    }
}

impl BlockRanges {
    /// Whether the latest block has to be known.
    pub fn needs_latest(&self) -> bool {
        self.0
            .iter()
            .any(|range| range.end == End::AfterLatest || range.start == Start::Latest)
    }

    /// The blocks, ascending, each once. With a latest block none may be above it.
    pub fn resolve(&self, latest: Option<BlockNumber>) -> Result<Vec<BlockNumber>, RangeError> {
        let mut numbers = BTreeSet::new();
        for range in &self.0 {
            range.resolve(latest, &mut numbers)?;
        }
        Ok(numbers.into_iter().map(BlockNumber).collect())
    }
}

impl BlockRange {
    fn parse(text: &str) -> Result<Self, RangeError> {
        let shape = || RangeError::Shape { text: text.into() };
        let (span, take) = split_take(text)?;
        let (start, end) = match span.split_once(':') {
            Some((_, end)) if end.contains(':') => return Err(shape()),
            Some((start, end)) => (parse_start(text, start)?, parse_end(text, end)?),
            None if take != Take::All => return Err(shape()),
            None if span == "latest" => (Start::Latest, End::AfterLatest),
            None => {
                let only = number(text, span)?;
                (Start::At(only), End::AfterStart(1))
            }
        };
        if matches!((start, end), (Start::BeforeEnd(_), End::AfterStart(_))) {
            return Err(shape());
        }
        Ok(Self {
            text: text.into(),
            start,
            end,
            take,
        })
    }

    fn resolve(
        &self,
        latest: Option<BlockNumber>,
        into: &mut BTreeSet<u64>,
    ) -> Result<(), RangeError> {
        let (start, end) = self.span(latest)?;
        let text = || self.text.clone();
        let Some(last) = end.checked_sub(1).filter(|last| *last >= start) else {
            let text = text();
            return Err(RangeError::Empty { text, start, end });
        };
        if let Some(latest) = latest
            && last > latest.0
        {
            return Err(RangeError::AboveLatest {
                text: text(),
                number: last,
                latest,
            });
        }
        let blocks = last - start + 1;
        let taken = match self.take {
            Take::All => blocks,
            Take::Every(step) => blocks.div_ceil(step),
            Take::Count(count) => count.min(blocks),
        };
        if taken > BLOCKS_MAX {
            return Err(RangeError::TooMany {
                text: text(),
                limit: BLOCKS_MAX,
                got: taken,
            });
        }
        match self.take {
            Take::All | Take::Count(1) => into.extend(start..start + taken),
            Take::Every(step) => into.extend((0..taken).map(|at| start + at * step)),
            Take::Count(_) if taken == blocks => into.extend(start..=last),
            Take::Count(_) => into.extend((0..taken).map(|at| evenly(start, last, at, taken))),
        }
        Ok(())
    }

    /// First block, and the block before which the range ends.
    fn span(&self, latest: Option<BlockNumber>) -> Result<(u64, u64), RangeError> {
        let after_latest = || match latest {
            Some(latest) => Ok(latest.0.saturating_add(1)),
            None => Err(RangeError::NoLatest {
                text: self.text.clone(),
            }),
        };
        let end = match self.end {
            End::At(end) => Some(end),
            End::AfterLatest => Some(after_latest()?),
            End::AfterStart(_) => None,
        };
        let start = match self.start {
            Start::At(start) => start,
            Start::BeforeEnd(blocks) => end.unwrap_or_default().saturating_sub(blocks),
            Start::Latest => after_latest()?.saturating_sub(1),
        };
        Ok((
            start,
            match self.end {
                End::AfterStart(blocks) => start.saturating_add(blocks),
                End::At(_) | End::AfterLatest => end.unwrap_or_default(),
            },
        ))
    }
}

/// The `at`-th of `count` numbers from `first` to `last`, both among them.
fn evenly(first: u64, last: u64, at: u64, count: u64) -> u64 {
    let along = u128::from(last - first) * u128::from(at) / u128::from(count - 1);
    first + u64::try_from(along).expect("a part of a span of 64 bits")
}

/// The range without its step or count.
fn split_take(text: &str) -> Result<(&str, Take), RangeError> {
    let (span, take) = if let Some((span, count)) = text.split_once('/') {
        (span, Take::Count(number(text, count)?))
    } else {
        match text.rsplit_once(':') {
            Some((span, step)) if span.contains(':') => (span, Take::Every(number(text, step)?)),
            _ => (text, Take::All),
        }
    };
    if matches!(take, Take::Every(0) | Take::Count(0)) {
        return Err(RangeError::Zero { text: text.into() });
    }
    Ok((span, take))
}

fn parse_start(text: &str, start: &str) -> Result<Start, RangeError> {
    match start.strip_prefix('-') {
        Some(blocks) => Ok(Start::BeforeEnd(number(text, blocks)?)),
        None if start.is_empty() => Ok(Start::At(0)),
        None if start == "latest" => Ok(Start::Latest),
        None => Ok(Start::At(number(text, start)?)),
    }
}

fn parse_end(text: &str, end: &str) -> Result<End, RangeError> {
    match end.strip_prefix('+') {
        Some(blocks) => Ok(End::AfterStart(number(text, blocks)?)),
        None if end.is_empty() || end == "latest" => Ok(End::AfterLatest),
        None => Ok(End::At(number(text, end)?)),
    }
}

/// A number with its point, its underscores and its suffix.
fn number(text: &str, number: &str) -> Result<u64, RangeError> {
    parse_number(number).ok_or_else(|| RangeError::Number {
        text: text.into(),
        number: number.into(),
    })
}

fn parse_number(number: &str) -> Option<u64> {
    let (digits, zeros) = match number.char_indices().last()? {
        (at, 'k' | 'K') => (&number[..at], 3),
        (at, 'm' | 'M') => (&number[..at], 6),
        (at, 'b' | 'B') => (&number[..at], 9),
        _ => (number, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let starts_with_digit = digits.starts_with(|c: char| c.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    let ends_in_point = digits.ends_with('.');
    if !starts_with_digit || ends_in_point || fraction.len() > zeros {
        return None;
    }
    let padding = zeros - fraction.len();
    let mut plain: String = whole.chars().filter(|c| *c != '_').collect();
    plain.push_str(fraction);
    plain.extend(std::iter::repeat_n('0', padding));
    let all_digits = plain.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits {
        return None;
    }
    plain.parse().ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;
    use proptest::prelude::*;

    fn blocks(text: &str, latest: Option<u64>) -> Result<Vec<u64>, RangeError> {
        let ranges: BlockRanges = text.parse()?;
        assert_eq!(ranges.to_string().parse(), Ok(ranges.clone()));
        let numbers = ranges.resolve(latest.map(BlockNumber))?;
        Ok(numbers.into_iter().map(|number| number.0).collect())
    }

    /// Each line of cryo's own help, and what the module's table says besides.
    #[test]
    fn no_example_of_the_syntax_means_something_else() {
        let latest = 9_999;
        for (text, expected) in [
            ("5000", vec![5_000]),
            ("5000 6000 7000", vec![5_000, 6_000, 7_000]),
            ("5_000,5K", vec![5_000]),
            ("12:15", vec![12, 13, 14]),
            ("12:15 20:22", vec![12, 13, 14, 20, 21]),
            ("1.5K:+2", vec![1_500, 1_501]),
            ("9.997K:", vec![9_997, 9_998, 9_999]),
            ("9.997K:latest", vec![9_997, 9_998, 9_999]),
            ("latest", vec![9_999]),
            (":3", vec![0, 1, 2]),
            ("-2:", vec![9_998, 9_999]),
            ("-3:7000", vec![6_997, 6_998, 6_999]),
            ("-9:4", vec![0, 1, 2, 3]),
            ("2000:5001:1000", vec![2_000, 3_000, 4_000, 5_000]),
            ("2000:5000:1000", vec![2_000, 3_000, 4_000]),
            ("100:200/5", vec![100, 124, 149, 174, 199]),
            ("100:103/5", vec![100, 101, 102]),
            ("100:200/1", vec![100]),
            ("7:+9:4", vec![7, 11, 15]),
            ("0.5K,0.002K:4", vec![2, 3, 500]),
        ] {
            assert_eq!(blocks(text, Some(latest)), Ok(expected), "{text}");
        }
        assert_eq!(blocks("15.5M", None), Ok(vec![15_500_000]));
        assert_eq!(blocks("1B", None), Ok(vec![1_000_000_000]));
    }

    #[test]
    fn no_range_that_means_nothing_is_taken() {
        let number = |text: &str, number: &str| RangeError::Number {
            text: text.into(),
            number: number.into(),
        };
        for text in ["", " , "] {
            assert_eq!(blocks(text, None), Err(RangeError::Nothing));
        }
        for (text, part) in [
            ("x", "x"),
            ("1.5", "1.5"),
            ("1.0005K", "1.0005K"),
            ("12M:x", "x"),
            ("+5:7", "+5"),
            ("-5", "-5"),
            ("5:-7", "-7"),
            (".5K", ".5K"),
            ("5.", "5."),
            ("_5", "_5"),
            ("K", "K"),
            ("0x10", "0x10"),
            ("18446744073709551616", "18446744073709551616"),
            ("1:9/x", "x"),
            ("12M\u{e9}:5", "12M\u{e9}"),
        ] {
            assert_eq!(blocks(text, Some(99)), Err(number(text, part)), "{text}");
        }
        for text in ["5/2", "1:2:3:4", "-5:+7", "1:2:3/4"] {
            let text = text.to_owned();
            assert_eq!(blocks(&text, Some(99)), Err(RangeError::Shape { text }));
        }
        for text in ["1:9:0", "1:9/0"] {
            let text = text.to_owned();
            assert_eq!(blocks(&text, Some(99)), Err(RangeError::Zero { text }));
        }
        for text in ["9:9", "9:3", "5:+0", "-0:5"] {
            let error = blocks(text, Some(99));
            assert!(matches!(error, Err(RangeError::Empty { .. })), "{text}");
        }
    }

    #[test]
    fn no_range_goes_past_what_there_is() {
        for text in ["5:", "-5:", "latest"] {
            assert!(
                text.parse::<BlockRanges>().unwrap().needs_latest(),
                "{text}"
            );
            let text = text.to_owned();
            assert_eq!(blocks(&text, None), Err(RangeError::NoLatest { text }));
        }
        assert!(!"5:7".parse::<BlockRanges>().unwrap().needs_latest());
        assert_eq!(
            blocks("90:101", Some(99)),
            Err(RangeError::AboveLatest {
                text: "90:101".into(),
                number: 100,
                latest: BlockNumber(99),
            })
        );
        let many = blocks(":1B", None);
        assert!(matches!(many, Err(RangeError::TooMany { .. })), "{many:?}");
        assert_eq!(blocks(":1B:500M", None), Ok(vec![0, 500_000_000]));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9KM.:+/_, -]{0,24}", latest in any::<Option<u64>>()) {
            if let Ok(ranges) = text.parse::<BlockRanges>() {
                let small = ranges.0.iter().all(|range| range.text.len() < 5);
                if small {
                    let _ = ranges.resolve(latest.map(BlockNumber));
                }
            }
        }

        #[test]
        fn counted_blocks_never_leave_the_range(start in 0u64..1_000, length in 1u64..500, count in 1u64..600) {
            let end = start + length;
            let got = blocks(&format!("{start}:{end}/{count}"), None).unwrap();
            prop_assert_eq!(got.len() as u64, count.min(length));
            prop_assert_eq!(got[0], start);
            prop_assert!(count == 1 || got.last() == Some(&(end - 1)));
        }
    }
}
