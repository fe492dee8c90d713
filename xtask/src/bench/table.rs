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
}

impl Table {
    pub fn add(&mut self, what: impl Into<String>, value: impl Into<String>, target: &str) {
        self.rows.push(Row {
            what: what.into(),
            value: value.into(),
            target: target.to_owned(),
        });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = Row {
            what: "measured".to_owned(),
            value: "result".to_owned(),
            target: "target".to_owned(),
        };
        let rows = || std::iter::once(&head).chain(&self.rows);
        let width = |cell: fn(&Row) -> &str| rows().map(|row| cell(row).chars().count()).max();
        let what = width(|row| &row.what).unwrap_or_default();
        let value = width(|row| &row.value).unwrap_or_default();
        for (index, row) in rows().enumerate() {
            let Row {
                what: a,
                value: b,
                target: c,
            } = row;
            writeln!(f, "| {a:<what$} | {b:>value$} | {c} |")?;
            if index == 0 {
                writeln!(f, "|{:-<1$}|{:->2$}|---|", "", what + 2, value + 2)?;
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
        table.add("size of the relay", "9.1 MB", "");
        table.add("start", "612 ms", "≤ 1 s");
        let text = table.to_string();
        let bars: Vec<Vec<usize>> = text
            .lines()
            .map(|line| {
                let bars = line
                    .chars()
                    .enumerate()
                    .filter(|(_, letter)| *letter == '|');
                bars.map(|(at, _)| at).take(3).collect()
            })
            .collect();
        assert!(bars.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }
}
