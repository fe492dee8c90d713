//! VP8 in RTP (RFC 7741): a frame into payloads, and the descriptor of one
//! payload back. Does not look into frames beyond the P bit of their first
//! octet, so they may be sealed.

use bytes::{BufMut, Bytes, BytesMut};

/// Octets of a frame in one packet. With descriptor, RTP and SRTP it stays
/// below the 1,200 that pass every path worth the name.
const PIECE: usize = 1100;

/// X with I: fifteen bits of picture id.
const DESCRIPTOR: usize = 4;

/// Longest frame that is cut or put together, in octets.
pub(super) const LONGEST_FRAME: usize = 2 << 20;

/// The payload descriptor (RFC 7741 §4.2), as far as we use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// S with partition 0: a frame begins here.
    pub begins: bool,
    /// Octets before the frame's.
    pub length: usize,
}

/// Cuts `frame` into payloads of about equal length, so that the last one is
/// not a tiny packet of its own.
pub(super) fn cut(frame: &[u8], picture: u16) -> Vec<Bytes> {
    let pieces = frame.len().div_ceil(PIECE).max(1);
    let size = frame.len().div_ceil(pieces).max(1);
    frame
        .chunks(size)
        .enumerate()
        .map(|(index, piece)| {
            let mut payload = BytesMut::with_capacity(DESCRIPTOR + piece.len());
            let begins = u8::from(index == 0) << 4;
            payload.put_u8(0x80 | begins);
            payload.put_u8(0x80);
            payload.put_u16(0x8000 | (picture & 0x7fff));
            payload.put_slice(piece);
            payload.freeze()
        })
        .collect()
}

/// Reads the descriptor of one payload; `None` when it is cut short or has no
/// frame octets behind it.
pub(super) fn read(payload: &[u8]) -> Option<Descriptor> {
    let first = *payload.first()?;
    let mut at = 1;
    if first & 0x80 != 0 {
        let flags = *payload.get(at)?;
        at += 1;
        if flags & 0x80 != 0 {
            let long = payload.get(at)? & 0x80 != 0;
            at += 1 + usize::from(long);
        }
        // TL0PICIDX, then TID and KEYIDX share an octet.
        at += usize::from(flags & 0x40 != 0);
        at += usize::from(flags & 0x30 != 0);
    }
    (at < payload.len()).then_some(Descriptor {
        begins: first & 0x10 != 0 && first & 0x07 == 0,
        length: at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_from_its_pieces() {
        for len in [1, 2, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 7, 200_000] {
            let frame: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let pieces = cut(&frame, 0x7fff);
            let mut back = Vec::new();
            for (index, piece) in pieces.iter().enumerate() {
                assert!(piece.len() <= PIECE + DESCRIPTOR);
                let read = read(piece).unwrap();
                assert_eq!(read.begins, index == 0);
                back.extend_from_slice(&piece[read.length..]);
            }
            assert_eq!(back, frame);
        }
    }

    #[test]
    fn pieces_are_of_about_equal_length() {
        let lengths: Vec<_> = cut(&[0; PIECE + 1], 0).iter().map(Bytes::len).collect();
        assert_eq!(lengths, [555, 554]);
    }

    #[test]
    fn every_form_of_descriptor_is_read() {
        let check = |octets: &[u8], begins, length| {
            assert_eq!(read(octets), Some(Descriptor { begins, length }));
        };
        check(&[0x10, 1], true, 1);
        check(&[0x00, 1], false, 1);
        check(&[0x11, 1], false, 1);
        check(&[0x90, 0x80, 0x01, 1], true, 3);
        check(&[0x90, 0x80, 0x81, 0x02, 1], true, 4);
        check(&[0x90, 0xe0, 0x81, 0x02, 9, 0x20, 1], true, 6);
        check(&[0x90, 0x10, 0x20, 1], true, 3);
    }

    #[test]
    fn a_descriptor_cut_short_is_refused() {
        let whole = [0x90, 0xf0, 0x81, 0x02, 9, 0x20];
        for len in 0..=whole.len() {
            assert_eq!(read(&whole[..len]), None, "{len}");
        }
    }
}
