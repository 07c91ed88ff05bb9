//! The tables of races: a row for each contestant, with figures or with the reason why there are none.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use crate::{
    grid::{markdown, thousands, three},
    table,
};

/// How a column is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// As it is, with three digits.
    Plain,
    /// A rate, or a count.
    Thousands,
    /// Bytes, shown as mebibytes.
    Memory,
}

/// A column of figures: its name in JSON, its heading, and its unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column(pub(crate) &'static str, pub(crate) &'static str, pub(crate) Unit);

/// One contestant.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) figures: Vec<Option<f64>>,
    /// What a reader must know beside the figures, or instead of them.
    pub(crate) note: String,
}

impl Row {
    /// A contestant that could not take part.
    pub(crate) fn out(name: &str, columns: &[Column], note: String) -> Self {
        Self { name: name.to_owned(), figures: vec![None; columns.len()], note }
    }
}

/// A table.
pub(crate) struct Report<'a> {
    pub(crate) title: &'a str,
    pub(crate) columns: &'a [Column],
    pub(crate) rows: Vec<Row>,
    /// The part of the machine that others used meanwhile.
    pub(crate) others: Option<f64>,
}

impl Report<'_> {
    /// Prints it, unless it is empty.
    pub(crate) fn print(&self, as_json: bool) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let text = if as_json { self.json() } else { self.text() };
        let mut stdout = io::stdout();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    fn text(&self) -> String {
        let has_notes = self.rows.iter().any(|row| !row.note.is_empty());
        let with_note = |mut line: Vec<String>, note: &str| {
            if has_notes {
                line.push(note.to_owned());
            }
            line
        };
        let headings = self.columns.iter().map(|column| column.1.to_owned());
        let mut lines = vec![with_note(std::iter::once("who".to_owned()).chain(headings).collect(), "note")];
        for row in &self.rows {
            let figures =
                self.columns.iter().zip(&row.figures).map(|(column, figure)| shown(column, *figure));
            lines.push(with_note(std::iter::once(row.name.clone()).chain(figures).collect(), &row.note));
        }
        format!("\n### {}\n\n{}{}", self.title, markdown(&lines, 1), table::warning(self.others))
    }

    fn json(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let words = [("work", self.title), ("who", &row.name), ("note", &row.note)];
            let words = words.map(|(name, word)| format!("\"{name}\":\"{}\"", escaped(word)));
            let _ = write!(text, "{{{}", words.join(","));
            for (column, figure) in self.columns.iter().zip(&row.figures) {
                let figure = figure.map_or("null".to_owned(), |figure| format!("{figure:.4}"));
                let _ = write!(text, ",\"{}\":{figure}", column.0);
            }
            text.push_str("}\n");
        }
        text
    }
}

fn shown(column: &Column, figure: Option<f64>) -> String {
    let Some(figure) = figure else { return "-".to_owned() };
    match column.2 {
        Unit::Plain => three(figure),
        Unit::Thousands => thousands(figure),
        Unit::Memory => format!("{} MiB", three(figure / 1024.0 / 1024.0)),
    }
}

/// Notes hold what others say, which may be anything.
fn escaped(word: &str) -> String {
    word.chars()
        .filter(|letter| !letter.is_control())
        .flat_map(|letter| match letter {
            '"' | '\\' => vec!['\\', letter],
            _ => vec![letter],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 2] =
        [Column("rate", "updates/s", Unit::Thousands), Column("rss", "memory", Unit::Memory)];

    fn report() -> Report<'static> {
        let figures = vec![Some(1_500.0), Some(2_097_152.0)];
        let there = Row { name: "a".to_owned(), figures, note: String::new() };
        let rows = vec![there, Row::out("b", &COLUMNS, "say \"please\"".to_owned())];
        Report { title: "t", columns: &COLUMNS, rows, others: None }
    }

    #[test]
    fn a_contestant_that_is_out_is_a_row_with_its_reason() {
        let text = report().text();
        assert!(text.contains("| a   |    1.50 k | 2.00 MiB |"), "{text}");
        assert!(text.contains("| b   |         - |        - | say \"please\" |"), "{text}");
    }

    #[test]
    fn what_others_say_cannot_break_a_line_of_json() {
        let json = report().json();
        assert!(json.contains("\"note\":\"say \\\"please\\\"\",\"rate\":null"), "{json}");
    }
}
