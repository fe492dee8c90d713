//! Whole numbers that JavaScript holds exactly.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use specta::{Type, Types, datatype::DataType};

/// A whole number between -(2^53 - 1) and 2^53 - 1. `number` to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct Num(i64);

impl Num {
    pub const MAX: i64 = (1 << 53) - 1;

    /// As a count, time or position; `None` below zero.
    pub fn unsigned(self) -> Option<u64> {
        u64::try_from(self.0).ok()
    }
}

impl From<u64> for Num {
    /// What is larger becomes the largest: no time, count or position that
    /// means anything is that large.
    fn from(value: u64) -> Self {
        Self(i64::try_from(value).unwrap_or(Self::MAX).min(Self::MAX))
    }
}

impl From<i64> for Num {
    fn from(value: i64) -> Self {
        Self(value.clamp(-Self::MAX, Self::MAX))
    }
}

impl From<usize> for Num {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

impl<'de> Deserialize<'de> for Num {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let value = i64::deserialize(d)?;
        if value.unsigned_abs() > Self::MAX as u64 {
            return Err(D::Error::custom("a number beyond 2^53"));
        }
        Ok(Self(value))
    }
}

impl Type for Num {
    fn definition(_: &mut Types) -> DataType {
        DataType::Reference(specta_typescript::define("number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_javascript_would_round_is_refused() {
        let read = |text: &str| serde_json::from_str::<Num>(text).ok();
        assert_eq!(read("9007199254740991"), Some(Num(Num::MAX)));
        assert_eq!(read("-9007199254740991"), Some(Num(-Num::MAX)));
        for text in ["9007199254740992", "1e300", "1.5", "\"1\"", "null"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_that_does_not_fit_becomes_the_largest() {
        assert_eq!(Num::from(u64::MAX), Num(Num::MAX));
        assert_eq!(Num::from(i64::MIN), Num(-Num::MAX));
    }
}
