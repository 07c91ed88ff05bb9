//! Numbered writes: what they write, when they were made, and how late they were told.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How long anybody may take to be told of one write.
pub(crate) const TOLD_MAX: Duration = Duration::from_secs(10);
/// Digits of the number in front of the data.
const DIGITS: usize = 10;
const DATA_BYTES: usize = 100;

/// Nanoseconds of the clock that all processes of a machine read: those in Java and Python as well.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::try_from(time).map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// The data of a node that was written for the so-manieth time.
pub(crate) fn data(number: u64) -> Vec<u8> {
    let mut data = format!("{number:0DIGITS$}").into_bytes();
    data.resize(DATA_BYTES, b's');
    data
}

/// The number in such data.
pub(crate) fn number(data: &[u8]) -> Option<u64> {
    std::str::from_utf8(data.get(..DIGITS)?).ok()?.parse().ok()
}

/// The value below which so large a part of the values lies.
pub(crate) fn quantile(values: &[f64], part: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    Some(sorted[(last as f64 * part).round() as usize])
}

/// Nanoseconds as milliseconds; less than none if the second was before the first.
pub(crate) fn millis_between(earlier: u64, later: u64) -> f64 {
    (later as f64 - earlier as f64) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_its_data() {
        assert_eq!(number(&data(42)), Some(42));
        assert_eq!(data(42).len(), DATA_BYTES);
        assert_eq!(number(b"short"), None);
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_eq!((quantile(&values, 0.5), quantile(&values, 0.99)), (Some(50.0), Some(99.0)));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
