//! OpenMLS's values as bytes: MessagePack with field names.
//!
//! Names, because a new version of OpenMLS may add fields and still read what
//! an old one wrote. MessagePack and not JSON, because most of it is keys,
//! which JSON takes up to four characters a byte for.

use crate::store::StoreError;
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

/// Most values fit, so that secrets are not left behind in smaller buffers.
const ROOM: usize = 8 * 1024;
/// Most parts of keys fit: ids, numbers, hashes. Wiping takes its time.
const KEY_ROOM: usize = 128;

pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    encode_in(ROOM, value)
}

/// The same for part of a record's key, which is no secret.
pub fn encode_key<T: Serialize + ?Sized>(part: &T) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    encode_in(KEY_ROOM, part)
}

fn encode_in<T: Serialize + ?Sized>(
    room: usize,
    value: &T,
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let mut out = Zeroizing::new(Vec::with_capacity(room));
    rmp_serde::encode::write_named(&mut *out, value).map_err(|_| StoreError::Damaged)?;
    Ok(out)
}

pub fn decode<T: DeserializeOwned>(packed: &[u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(packed).map_err(|_| StoreError::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_takes_half_as_much_again_as_its_bytes() {
        let key: Vec<u8> = (0..=255).collect();
        let packed = encode(&key).unwrap();
        assert!(packed.len() < 390, "{} bytes", packed.len());
        assert_eq!(decode::<Vec<u8>>(&packed).unwrap(), key);
    }

    #[test]
    fn torn_values_are_damage() {
        let packed = encode(&vec![1u8, 2, 3, 4, 5]).unwrap();
        for len in 0..packed.len() {
            assert!(decode::<Vec<u8>>(&packed[..len]).is_err(), "{len} bytes");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_an_outcome(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode::<Vec<String>>(&bytes);
        }
    }
}
