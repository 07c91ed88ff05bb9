//! What a person, or a program, gets to read.

use crate::{
    cell::Cell,
    clients::Who,
    grid::{markdown, thousands, three},
    rounds::Row,
    works::Work,
};

const COLUMNS: [&str; 10] = [
    "client",
    "mode, runtime, cores",
    "ops/s",
    "CPU us/op",
    "with the server's",
    "allocs/op",
    "syscalls/op",
    "rate / raw",
    "rate / best peer",
    "CPU / best peer",
];

/// What the others are compared with.
struct Best {
    raw_rate: Option<f64>,
    peer_rate: Option<f64>,
    peer_cpu: Option<f64>,
}

impl Best {
    /// The fastest and the cheapest peer need not be the same one.
    fn of(rows: &[Row]) -> Self {
        let raw = rows.iter().filter(|row| row.cell.who == Who::Raw);
        let peers = || rows.iter().filter(|row| row.cell.who.is_peer());
        Self {
            raw_rate: raw.map(Row::rate).next(),
            peer_rate: peers().map(Row::rate).reduce(f64::max),
            peer_cpu: peers().map(Row::cpu).reduce(f64::min),
        }
    }
}

/// From here on the others that use the machine are worth a warning.
const OTHERS_MAX: f64 = 0.03;

/// A heading and a table, and a warning if others used a part of the machine.
pub(crate) fn table(work: Work, rows: &[Row], others: Option<f64>) -> String {
    let best = Best::of(rows);
    let mut lines = vec![COLUMNS.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(|row| cells(row, &best).to_vec()));
    let mut text = format!("\n### {}\n\n{}", work.title(), markdown(&lines, 2));
    text.push_str(&warning(others));
    text
}

/// Says that others used a part of the machine, if it was enough to matter.
pub(crate) fn warning(others: Option<f64>) -> String {
    match others {
        Some(others) if others > OTHERS_MAX => {
            format!("\nRough: others used {:.0}% of the machine meanwhile.\n", others * 100.0)
        }
        _ => String::new(),
    }
}

fn cells(row: &Row, best: &Best) -> [String; COLUMNS.len()] {
    let who = row.cell.who;
    let ratio = |value: f64, to: Option<f64>| to.map_or("-".to_owned(), |to| format!("{:.2}", value / to));
    let compared =
        |value: f64, to: Option<f64>| if who == Who::Raw { "-".to_owned() } else { ratio(value, to) };
    let digits = |value: Option<f64>| value.map_or("-".to_owned(), three);
    [
        who.name().to_owned(),
        row.cell.way(),
        format!("{} ±{:.0}%", thousands(row.rate()), row.spread() * 100.0),
        three(row.cpu()),
        digits(row.cpu_of_both()),
        digits(row.allocations),
        digits(row.system_calls),
        ratio(row.rate(), best.raw_rate),
        compared(row.rate(), best.peer_rate),
        compared(row.cpu(), best.peer_cpu),
    ]
}

/// A line for each row.
pub(crate) fn json(work: Work, rows: &[Row]) -> String {
    let number = |value: Option<f64>| value.map_or("null".to_owned(), |value| format!("{value:.4}"));
    let line = |row: &Row| {
        let Cell { who, mode, threads, cores, .. } = row.cell;
        format!(
            "{{\"work\":\"{}\",\"client\":\"{}\",\"mode\":\"{}\",\"runtime\":\"{}\",\"cores\":\"{}\",\"rounds\":{},\
             \"ops_per_second\":{:.1},\"spread\":{:.4},\"cpu_us_per_op\":{:.4},\"cpu_us_per_op_of_both\":{},\"allocations_per_op\":{},\
             \"system_calls_per_op\":{}}}\n",
            work.name(),
            who.name(),
            mode.name(),
            threads.name(),
            cores.name(),
            row.rounds.len(),
            row.rate(),
            row.spread(),
            row.cpu(),
            number(row.cpu_of_both()),
            number(row.allocations),
            number(row.system_calls),
        )
    };
    rows.iter().map(line).collect()
}
