//! ChannelData (RFC 8656 §12.4): a number and a length before the data, and
//! nothing else.

/// The numbers a client may choose (RFC 8656 §12).
pub const FIRST: u16 = 0x4000;
pub const LAST: u16 = 0x4fff;

/// The channel and the data of a datagram that begins like one.
pub fn read(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.split_at_checked(4)?;
    let number = u16::from_be_bytes([head[0], head[1]]);
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    // Over UDP it may be padded, and need not be.
    let fits = length <= rest.len() && rest.len() - length < 4;
    (fits && (FIRST..=LAST).contains(&number)).then(|| (number, &rest[..length]))
}

pub fn write(number: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(4 + data.len());
    bytes.extend(number.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(&data[..usize::from(length)]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_padded_or_not() {
        let mut bytes = write(0x4000, b"abcde");
        assert_eq!(read(&bytes), Some((0x4000, &b"abcde"[..])));
        bytes.extend([0; 3]);
        assert_eq!(read(&bytes), Some((0x4000, &b"abcde"[..])));
        bytes.push(0);
        assert_eq!(read(&bytes), None);
    }

    #[test]
    fn what_is_none_is_none() {
        assert_eq!(read(b"\x40\x00\x00"), None);
        assert_eq!(read(b"\x40\x00\x00\x04abc"), None);
        assert_eq!(read(b"\x3f\xff\x00\x00"), None);
        assert_eq!(read(b"\x50\x00\x00\x00"), None);
    }
}
