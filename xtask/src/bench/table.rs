//! The table of results.

use std::fmt;

#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    value: String,
    /// What is promised, in words; empty if nothing is.
    target: String,
    met: &'static str,
}

/// What is promised of a value, in words, and whether it holds.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub words: &'a str,
    pub met: bool,
}

impl Table {
    pub fn add(
        &mut self,
        what: impl Into<String>,
        value: impl Into<String>,
        target: Option<Target<'_>>,
    ) {
        self.rows.push(Row {
            what: what.into(),
            value: value.into(),
            target: target.map(|t| t.words.to_owned()).unwrap_or_default(),
            met: match target {
                None => "",
                Some(Target { met: true, .. }) => "yes",
                Some(Target { met: false, .. }) => "NO",
            },
        });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = Row {
            what: "measured".to_owned(),
            value: "result".to_owned(),
            target: "target".to_owned(),
            met: "met",
        };
        let rows = || std::iter::once(&head).chain(&self.rows);
        let width = |cell: fn(&Row) -> &str| rows().map(|row| cell(row).chars().count()).max();
        let what = width(|row| &row.what).unwrap_or_default();
        let value = width(|row| &row.value).unwrap_or_default();
        let target = width(|row| &row.target).unwrap_or_default();
        for (index, row) in rows().enumerate() {
            let Row {
                what: a,
                value: b,
                target: c,
                met: d,
            } = row;
            writeln!(f, "| {a:<what$} | {b:<value$} | {c:<target$} | {d:<3} |")?;
            if index == 0 {
                let line = [what, value, target, 3].map(|width| "-".repeat(width + 2));
                writeln!(f, "|{}|", line.join("|"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::default();
        table.add("size of the relay", "9.1 MB", None);
        let (words, met) = ("≤ 1 s", true);
        table.add("start", "612 ms", Some(Target { words, met }));
        let text = table.to_string();
        let bars: Vec<Vec<usize>> = text
            .lines()
            .map(|line| {
                let bars = line
                    .chars()
                    .enumerate()
                    .filter(|(_, letter)| *letter == '|');
                bars.map(|(at, _)| at).collect()
            })
            .collect();
        assert!(bars.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }

    #[test]
    fn a_missed_target_is_plain_to_see() {
        let mut table = Table::default();
        for (words, met) in [("≤ 1 s", true), ("≤ 20 ms", false)] {
            table.add("time", "some", Some(Target { words, met }));
        }
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[2].ends_with("| yes |") && lines[3].ends_with("| NO  |"),
            "{text}"
        );
    }
}
