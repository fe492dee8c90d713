//! Motion JPEG as cameras send it often lacks the Huffman tables, because they
//! are always those of the standard (ITU-T T.81, annex K.3). They are put back.

use std::borrow::Cow;
use std::sync::OnceLock;

const START_OF_SCAN: u8 = 0xda;
const TABLES: u8 = 0xc4;

/// The codes of each length from 1 to 16.
const DC_LUMA: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const DC_CHROMA: [u8; 16] = [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
const AC_LUMA: [u8; 16] = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125];
const AC_CHROMA: [u8; 16] = [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119];

/// The symbols with short codes; the rest follow in rising order.
const AC_LUMA_FIRST: [u8; 37] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
    0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0,
    0x24, 0x33, 0x62, 0x72, 0x82,
];
const AC_CHROMA_FIRST: [u8; 43] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
    0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0,
    0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1,
];

/// The same JPEG, with tables if it had none. What is no JPEG stays as it is.
pub fn complete(jpeg: &[u8]) -> Cow<'_, [u8]> {
    let Some(scan) = scan_without_tables(jpeg) else {
        return Cow::Borrowed(jpeg);
    };
    let (head, rest) = jpeg.split_at(scan);
    Cow::Owned([head, standard(), rest].concat())
}

/// Where the first scan begins, if no table stands before it.
fn scan_without_tables(jpeg: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        let [0xff, marker, high, low] = *jpeg.get(at..at + 4)? else {
            return None;
        };
        match marker {
            START_OF_SCAN => return Some(at),
            TABLES => return None,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
}

fn standard() -> &'static [u8] {
    static SEGMENTS: OnceLock<Vec<u8>> = OnceLock::new();
    SEGMENTS.get_or_init(|| {
        let dc: Vec<u8> = (0..12).collect();
        [
            segment(0x00, DC_LUMA, &dc),
            segment(0x01, DC_CHROMA, &dc),
            segment(0x10, AC_LUMA, &ac(&AC_LUMA_FIRST)),
            segment(0x11, AC_CHROMA, &ac(&AC_CHROMA_FIRST)),
        ]
        .concat()
    })
}

fn segment(table: u8, lengths: [u8; 16], symbols: &[u8]) -> Vec<u8> {
    let length = (2 + 1 + 16 + symbols.len()) as u16;
    let mut segment = vec![0xff, TABLES];
    segment.extend(length.to_be_bytes());
    segment.push(table);
    segment.extend(lengths);
    segment.extend(symbols);
    segment
}

/// All symbols of AC coefficients, these first: a run of zeros in the upper
/// half, the bits of what follows (1 to 10) in the lower.
fn ac(first: &[u8]) -> Vec<u8> {
    let all = (0..=0xff_u8).filter(|symbol| matches!(symbol & 15, 1..=10));
    let rest = all.filter(|symbol| !first.contains(symbol));
    first.iter().copied().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_symbol() {
        for (lengths, first) in [
            (AC_LUMA, &AC_LUMA_FIRST[..]),
            (AC_CHROMA, &AC_CHROMA_FIRST[..]),
        ] {
            let codes: usize = lengths.iter().map(|count| usize::from(*count)).sum();
            assert_eq!(codes, 162);
            let mut symbols = ac(first);
            assert_eq!(symbols.len(), 162);
            symbols.sort_unstable();
            symbols.dedup();
            assert_eq!(symbols.len(), 162);
        }
    }

    #[test]
    fn what_has_tables_or_is_no_jpeg_stays() {
        for bytes in [&include_bytes!("red.jpg")[..], b"", b"\xff\xd8", b"GIF89a"] {
            assert!(matches!(complete(bytes), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn a_marker_that_points_beyond_the_end_is_harmless() {
        assert!(matches!(
            complete(b"\xff\xd8\xff\xe0\xff\xff"),
            Cow::Borrowed(_)
        ));
        assert!(matches!(
            complete(b"\xff\xd8\xff\xe0\x00\x00"),
            Cow::Borrowed(_)
        ));
    }
}
