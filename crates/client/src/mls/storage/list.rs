//! Lists as bytes: each entry after its length (4 bytes, big-endian).

use crate::store::StoreError;

pub fn push(list: &mut Vec<u8>, entry: &[u8]) {
    let len = u32::try_from(entry.len()).expect("entries are far below 4 GiB");
    list.extend_from_slice(&len.to_be_bytes());
    list.extend_from_slice(entry);
}

pub fn entries(mut list: &[u8]) -> Result<Vec<&[u8]>, StoreError> {
    let mut entries = Vec::new();
    while !list.is_empty() {
        let (len, rest) = list.split_first_chunk().ok_or(StoreError::Damaged)?;
        let (entry, rest) = rest
            .split_at_checked(u32::from_be_bytes(*len) as usize)
            .ok_or(StoreError::Damaged)?;
        entries.push(entry);
        list = rest;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_entries_in_order() {
        let mut list = Vec::new();
        assert_eq!(entries(&list).unwrap(), Vec::<&[u8]>::new());
        for entry in [&b"one"[..], b"", b"three"] {
            push(&mut list, entry);
        }
        assert_eq!(entries(&list).unwrap(), [&b"one"[..], b"", b"three"]);
    }

    #[test]
    fn a_torn_list_is_damage() {
        let mut list = Vec::new();
        push(&mut list, b"one");
        for len in 1..list.len() {
            assert!(
                matches!(entries(&list[..len]), Err(StoreError::Damaged)),
                "{len} bytes"
            );
        }
    }
}
