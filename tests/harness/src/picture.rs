//! Reads the number in a test picture as it is painted on the page.
//!
//! A test picture carries a grid at its top edge, 18 columns wide and 5 rows
//! high; a column is 1/18 of the width, a row 1/20 of the height. White is 1.
//! The outer columns tell black from white; the 16 between hold the frame
//! number (2 rows), a time (2 rows), and a CRC-16 (CCITT) of both (1 row).

use std::time::Duration;

const COLUMNS: usize = 18;
const ROWS: usize = 5;
/// Samples of a block in each direction, as the page takes them.
const FINE: usize = 4;

/// One look at a picture: the brightness of its grid.
pub(crate) const WIDTH: usize = COLUMNS * FINE;
pub(crate) const HEIGHT: usize = ROWS * FINE;

/// The frame number in the upper quarter of a picture, sampled at
/// [`WIDTH`] by [`HEIGHT`], if it is a test picture's.
pub(crate) fn number(luma: &[u8]) -> Option<u32> {
    if luma.len() != WIDTH * HEIGHT {
        return None;
    }
    let mut words = [0u16; ROWS];
    for (row, word) in words.iter_mut().enumerate() {
        let value = |column| brightness(luma, column, row);
        let (first, last) = (value(0), value(COLUMNS - 1));
        let (white, black) = if row % 2 == 0 {
            (first, last)
        } else {
            (last, first)
        };
        if white < black + 60 {
            return None;
        }
        let middle = white.midpoint(black);
        *word = (1..=16).fold(0, |word, column| {
            word << 1 | u16::from(value(column) > middle)
        });
    }
    let [high, low, time_high, time_low, check] = words;
    let bytes: Vec<u8> = [high, low, time_high, time_low]
        .into_iter()
        .flat_map(u16::to_be_bytes)
        .collect();
    (checksum(&bytes) == check).then_some(u32::from(high) << 16 | u32::from(low))
}

/// The mean of the middle of a block.
fn brightness(luma: &[u8], column: usize, row: usize) -> u16 {
    let middle = FINE / 2 - 1..=FINE / 2;
    let at = |x: usize, y: usize| u16::from(luma[(row * FINE + y) * WIDTH + column * FINE + x]);
    let sum: u16 = middle
        .clone()
        .map(|y| middle.clone().map(|x| at(x, y)).sum::<u16>())
        .sum();
    sum / 4
}

fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte) << 8, |sum, _| {
            let carry = sum & 0x8000 != 0;
            if carry { sum << 1 ^ 0x1021 } else { sum << 1 }
        })
    })
}

/// A picture that was watched for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watched {
    /// How long.
    pub time: Duration,
    /// From the first to the last picture that was painted meanwhile.
    pub span: Duration,
    /// How far its counter went, as read from what was painted.
    pub counted: u32,
    /// How many different pictures were painted meanwhile.
    pub painted: u32,
    /// How many of these could not be read.
    pub unread: u32,
    /// The size in which they came.
    pub size: (u32, u32),
}

impl Watched {
    /// How fast the counter runs, per second. What stands still at the end is
    /// held against it by [`Watched::rate`].
    pub fn pace(&self) -> f64 {
        f64::from(self.counted) / self.span.as_secs_f64().max(0.001)
    }

    /// How many different pictures were painted per second.
    pub fn rate(&self) -> f64 {
        f64::from(self.painted) / self.time.as_secs_f64().max(0.001)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(number: u32, time: u32) -> Vec<u8> {
        let bytes = [number.to_be_bytes(), time.to_be_bytes()].concat();
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let words = [word(0), word(2), word(4), word(6), checksum(&bytes)];
        let mut luma = vec![0; WIDTH * HEIGHT];
        for (y, line) in luma.chunks_exact_mut(WIDTH).enumerate() {
            let row = y / FINE;
            for (x, sample) in line.iter_mut().enumerate() {
                let white = match x / FINE {
                    0 => row.is_multiple_of(2),
                    17 => !row.is_multiple_of(2),
                    column => words[row] >> (16 - column) & 1 == 1,
                };
                *sample = if white { 220 } else { 30 };
            }
        }
        luma
    }

    #[test]
    fn a_number_is_read_and_nothing_else_is_taken_for_one() {
        for expect in [0, 1, 77, 0x0102_0304, u32::MAX] {
            assert_eq!(number(&draw(expect, 123_456)), Some(expect));
        }
        assert_eq!(number(&[]), None);
        assert_eq!(number(&vec![128; WIDTH * HEIGHT]), None);
        let mut bent = draw(77, 123_456);
        for y in 0..FINE {
            bent[y * WIDTH + 8 * FINE..][..FINE].fill(220);
        }
        assert_eq!(number(&bent), None);
    }
}
