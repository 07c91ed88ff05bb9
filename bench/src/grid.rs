//! Text in columns, as Markdown.

use std::fmt::Write as _;

/// Lays out lines of cells, of which the first line is the heading. The first so many columns are words.
pub(crate) fn markdown(lines: &[Vec<String>], words: usize) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        // Writing to a string cannot fail.
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let _ = if column < words {
                write!(text, "| {cell:width$} ")
            } else {
                write!(text, "| {cell:>width$} ")
            };
        }
        text.push_str("|\n");
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let colon = if column < words { '-' } else { ':' };
                let _ = write!(text, "|{}{colon}", "-".repeat(width + 1));
            }
            text.push_str("|\n");
        }
    }
    text
}

/// A rate, with three digits and a unit.
pub(crate) fn thousands(rate: f64) -> String {
    match rate {
        ..1e3 => three(rate),
        ..1e6 => format!("{} k", three(rate / 1e3)),
        _ => format!("{} M", three(rate / 1e6)),
    }
}

/// Three digits, or whatever is in front of the point.
pub(crate) fn three(value: f64) -> String {
    match value.abs() {
        ..0.0005 => "0".to_owned(),
        ..0.1 => format!("{value:.3}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        let shown = [0.0, 0.0312, 0.3, 1.13, 26.04, 831.6].map(three);
        assert_eq!(shown, ["0", "0.031", "0.30", "1.13", "26.0", "832"]);
        assert_eq!([940.0, 35_000.0, 7_812_345.0].map(thousands), ["940", "35.0 k", "7.81 M"]);
    }

    #[test]
    fn figures_stand_to_the_right_and_words_to_the_left() {
        let lines = [["who", "n"], ["a", "12"]].map(|line| line.map(str::to_owned).to_vec());
        assert_eq!(markdown(&lines, 1), "| who |  n |\n|-----|---:|\n| a   | 12 |\n");
    }
}
