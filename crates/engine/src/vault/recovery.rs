//! The recovery code slot: 160 random bits, written as eight groups of four
//! Crockford base32 characters and a check character each.
//!
//! The check character tells a slip of the pen from a wrong code, and in which
//! group it is. It is a sum over GF(32) with different weights for each place,
//! so that any one wrong character, any two swapped neighbours and groups in
//! the wrong place are found.

use super::{
    slots::{ProfileId, RecoverySlot},
    wrap,
};
use crate::secret::{self, Key, Secret};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

const KIND: &str = "recovery";
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUPS: usize = 8;
/// Characters of a group that carry the code.
const DATA: usize = 4;
const BYTES: usize = 20;

/// A code with its 160 bits.
pub struct Code(Zeroizing<[u8; BYTES]>);

/// A character was mistyped, left out or added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the recovery code has a typing mistake in group {group}")]
pub struct Typo {
    /// The first group that cannot be right, counted from 1.
    pub group: u8,
}

/// Whether this can be a recovery code at all, before it is tried.
pub fn check(text: &Secret) -> Result<(), Typo> {
    Code::read(text).map(drop)
}

impl Code {
    pub fn random() -> Self {
        Self(Zeroizing::new(secret::random()))
    }

    /// `ABCDE-FGHJK-…`
    pub fn print(&self) -> Secret {
        let symbols = Zeroizing::new(to_symbols(&self.0));
        let mut text = String::with_capacity(GROUPS * (DATA + 2));
        for (index, group) in symbols.chunks(DATA).enumerate() {
            if index > 0 {
                text.push('-');
            }
            for symbol in group.iter().copied().chain([check_symbol(index, group)]) {
                text.push(char::from(ALPHABET[usize::from(symbol)]));
            }
        }
        Secret::new(text)
    }

    /// Reads what a person typed: any case, with or without dashes and blanks,
    /// with O for 0 and I or L for 1.
    pub fn read(text: &Secret) -> Result<Self, Typo> {
        let mut symbols = Zeroizing::new(Vec::with_capacity(64));
        for c in text
            .expose()
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
        {
            let group = group_number(symbols.len() / (DATA + 1));
            symbols.push(symbol(c).ok_or(Typo { group })?);
        }
        for (index, group) in symbols.chunks(DATA + 1).enumerate() {
            let sound = index < GROUPS
                && group.len() == DATA + 1
                && check_symbol(index, &group[..DATA]) == group[DATA];
            if !sound {
                return Err(Typo {
                    group: group_number(index),
                });
            }
        }
        if symbols.len() != GROUPS * (DATA + 1) {
            return Err(Typo {
                group: group_number(symbols.len() / (DATA + 1)),
            });
        }
        let data: Zeroizing<Vec<u8>> = Zeroizing::new(
            symbols
                .chunks(DATA + 1)
                .flat_map(|g| g[..DATA].to_vec())
                .collect(),
        );
        Ok(Self(Zeroizing::new(from_symbols(&data))))
    }
}

pub fn wrap(profile: &ProfileId, code: &Code, key: &Key) -> RecoverySlot {
    let salt = secret::random::<16>();
    RecoverySlot {
        salt: salt.to_vec().into(),
        wrapped: wrap::wrap(&derive(code, &salt), KIND, profile, key),
    }
}

/// `None` if it is another profile's or an older code.
pub fn unwrap(profile: &ProfileId, code: &Code, slot: &RecoverySlot) -> Option<Key> {
    wrap::unwrap(&derive(code, &slot.salt), KIND, profile, &slot.wrapped)
}

/// The code has full entropy, so nothing slow is needed (RFC 5869).
fn derive(code: &Code, salt: &[u8]) -> Key {
    let hkdf = Hkdf::<Sha256>::new(Some(salt), &code.0[..]);
    Key::derive(|out| hkdf.expand(b"sotto v1 recovery code", out))
        .expect("32 bytes are within HKDF's reach")
}

fn group_number(index: usize) -> u8 {
    index.min(GROUPS - 1) as u8 + 1
}

fn symbol(c: char) -> Option<u8> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    };
    ALPHABET
        .iter()
        .position(|a| char::from(*a) == c)
        .map(|p| p as u8)
}

fn to_symbols(bytes: &[u8; BYTES]) -> [u8; GROUPS * DATA] {
    std::array::from_fn(|i| {
        (0..5).fold(0, |symbol, bit| {
            let at = i * 5 + bit;
            symbol << 1 | (bytes[at / 8] >> (7 - at % 8) & 1)
        })
    })
}

fn from_symbols(symbols: &[u8]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for (i, symbol) in symbols.iter().enumerate() {
        for bit in 0..5 {
            let at = i * 5 + bit;
            bytes[at / 8] |= (symbol >> (4 - bit) & 1) << (7 - at % 8);
        }
    }
    bytes
}

fn check_symbol(index: usize, group: &[u8]) -> u8 {
    let place = times(index as u8 + 1, power(DATA + 1));
    group
        .iter()
        .enumerate()
        .fold(place, |sum, (i, symbol)| sum ^ times(*symbol, power(i + 1)))
}

/// α^n in GF(32).
fn power(n: usize) -> u8 {
    (0..n).fold(1, |p, _| times(p, 2))
}

/// Product in GF(32), modulo x⁵ + x² + 1.
fn times(a: u8, b: u8) -> u8 {
    let (mut a, mut product) = (u16::from(a), 0);
    for bit in 0..5 {
        if b >> bit & 1 == 1 {
            product ^= a;
        }
        a <<= 1;
        if a & 0x20 != 0 {
            a ^= 0x25;
        }
    }
    product as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Code, Typo> {
        Code::read(&Secret::new(text.into()))
    }

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = Code::random();
        let text = code.print().expose().to_owned();
        assert_eq!(text.len(), GROUPS * 6 - 1);
        let sloppy = text
            .to_lowercase()
            .replace('-', " ")
            .replace('0', "o")
            .replace('1', "l");
        for text in [text.clone(), sloppy, text.replace('-', "")] {
            assert_eq!(read(&text).unwrap().0[..], code.0[..], "{text}");
        }
    }

    #[test]
    fn any_one_wrong_character_is_found_in_its_group() {
        let text = Code(Zeroizing::new([0x5a; BYTES]))
            .print()
            .expose()
            .to_owned();
        for (at, right) in text.char_indices().filter(|(_, c)| *c != '-') {
            for wrong in ALPHABET
                .iter()
                .map(|b| char::from(*b))
                .filter(|c| *c != right)
            {
                let mut typed = text.clone();
                typed.replace_range(at..=at, &wrong.to_string());
                assert_eq!(
                    read(&typed).err(),
                    Some(Typo {
                        group: at as u8 / 6 + 1
                    })
                );
            }
        }
    }

    #[test]
    fn swapped_neighbours_and_groups_are_found() {
        let text = Code::random().print().expose().to_owned();
        let chars: Vec<char> = text.chars().filter(|c| *c != '-').collect();
        for i in 1..chars.len() {
            let mut typed = chars.clone();
            typed.swap(i - 1, i);
            let same_group = i % 5 != 0;
            if typed != chars && same_group {
                assert!(read(&typed.iter().collect::<String>()).is_err());
            }
        }
        let mut groups: Vec<&str> = text.split('-').collect();
        groups.swap(2, 5);
        if groups[2] != groups[5] {
            assert_eq!(read(&groups.join("-")).err(), Some(Typo { group: 3 }));
        }
    }

    #[test]
    fn a_code_that_is_too_short_or_too_long_says_where_it_ends() {
        let text = Code::random().print().expose().to_owned();
        assert_eq!(read("").err(), Some(Typo { group: 1 }));
        assert_eq!(read(&text[..text.len() - 1]).err(), Some(Typo { group: 8 }));
        assert_eq!(read(&text[..11]).err(), Some(Typo { group: 3 }));
        assert_eq!(
            read(&format!("{text}-00000")).err(),
            Some(Typo { group: 8 })
        );
        assert_eq!(read("U").err(), Some(Typo { group: 1 }));
    }
}
