//! Padding to size buckets, so that the length of what is encrypted tells
//! little about what was said. It has no key: pad before encrypting.

/// Sizes up to which padding goes; beyond, multiples of [`STEP`].
const BUCKETS: [usize; 6] = [128, 256, 512, 1024, 2048, STEP];
const STEP: usize = 4096;

/// Length of the length.
const HEAD: usize = 4;

/// Length of the content (4 bytes, big-endian), content, zeros up to the next
/// bucket.
pub fn pad(content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).expect("contents are far below 4 GiB");
    let filled = HEAD + content.len();
    let size = BUCKETS
        .into_iter()
        .find(|size| filled <= *size)
        .unwrap_or_else(|| filled.next_multiple_of(STEP));
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(content);
    out.resize(size, 0);
    out
}

/// The longest content whose padded form has at most `size` bytes.
pub fn longest(size: usize) -> usize {
    let bucket = match size {
        STEP.. => size - size % STEP,
        _ => BUCKETS
            .into_iter()
            .rfind(|bucket| *bucket <= size)
            .unwrap_or(0),
    };
    bucket.saturating_sub(HEAD)
}

/// The content; `None` if the length does not fit or the padding says
/// anything. Any amount of padding is fine, so that buckets can change.
pub fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let (head, rest) = padded.split_first_chunk::<HEAD>()?;
    let len = usize::try_from(u32::from_be_bytes(*head)).ok()?;
    let (content, padding) = rest.split_at_checked(len)?;
    padding.iter().all(|byte| *byte == 0).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_longest_content_fits_and_a_longer_one_does_not(size in 128usize..20_000) {
            let longest = longest(size);
            prop_assert!(pad(&vec![7; longest]).len() <= size);
            prop_assert!(pad(&vec![7; longest + 1]).len() > size);
        }
    }

    #[test]
    fn padding_hides_all_lengths_of_a_bucket() {
        let check = |content: usize, padded: usize| {
            assert_eq!(pad(&vec![7; content]).len(), padded, "{content} bytes");
        };
        check(0, 128);
        check(124, 128);
        check(125, 256);
        check(252, 256);
        check(253, 512);
        check(1020, 1024);
        check(2044, 2048);
        check(2045, 4096);
        check(4092, 4096);
        check(4093, 8192);
        check(8188, 8192);
        check(16 * 1024, 20 * 1024);
    }

    #[test]
    fn padding_that_says_something_is_refused() {
        let mut padded = pad(b"hello");
        for place in HEAD + 5..padded.len() {
            padded[place] = 1;
            assert_eq!(unpad(&padded), None, "byte {place}");
            padded[place] = 0;
        }
        assert_eq!(unpad(&padded), Some(&b"hello"[..]));
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        assert_eq!(unpad(&[]), None);
        assert_eq!(unpad(&[0, 0, 0]), None);
        assert_eq!(unpad(&[0, 0, 0, 1]), None);
        assert_eq!(unpad(&[0xff; 64]), None);
        assert_eq!(unpad(&[0, 0, 0, 0]), Some(&[][..]));
    }

    proptest! {
        #[test]
        fn what_was_padded_comes_back(content in proptest::collection::vec(any::<u8>(), 0..9000)) {
            let padded = pad(&content);
            prop_assert_eq!(unpad(&padded), Some(&content[..]));
        }

        #[test]
        fn hostile_bytes_are_an_outcome(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpad(&bytes);
        }
    }
}
