//! STUN messages: the vectors of RFC 5769, and what is not taken for one.

use super::*;

/// RFC 5769 §2.1, a request with short-term credentials; the padding of its
/// USERNAME is spaces.
const REQUEST: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\
\xfa\x87\xdf\xae\x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\
\x93\x2f\xf9\xb1\x51\x26\x3b\x36\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20\
\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
\x80\x28\x00\x04\xe5\x7a\x3b\xcf";

/// RFC 5769 §2.2 and §2.3, its answers.
const ANSWER_V4: &[u8] = b"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\
\xfa\x87\xdf\xae\x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20\
\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\
\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\x80\x28\x00\x04\xc0\x7d\x4c\x96";

const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

#[test]
fn the_vectors_of_rfc_5769_are_read_and_hold() {
    let request = Message::read(REQUEST).expect("a message");
    assert_eq!(
        (request.class, request.method),
        (Class::Request, Method::Binding)
    );
    assert_eq!(request.text(attribute::USERNAME), Some("evtj:h6vY"));
    assert!(request.is_signed_with(PASSWORD));
    assert!(!request.is_signed_with(b"another"));
    // PRIORITY is an ICE agent's; a server does not understand it.
    assert_eq!(request.unknown(), [0x0024]);

    let answer = Message::read(ANSWER_V4).expect("a message");
    assert!(answer.is_signed_with(PASSWORD));
    let mapped = answer
        .get(attribute::XOR_MAPPED_ADDRESS)
        .expect("an address");
    assert_eq!(
        address(mapped, &answer.transaction),
        Some("192.0.2.1:32853".parse().unwrap())
    );
}

#[test]
fn what_is_written_is_read_again() {
    let transaction = [7; 12];
    for text in ["198.51.100.7:49152", "[2001:db8::7]:65535"] {
        let there: SocketAddr = text.parse().unwrap();
        let bytes = Writing::new(Class::Success, Method::ChannelBind, &transaction)
            .with(attribute::LIFETIME, &600u32.to_be_bytes())
            .with_address(attribute::XOR_RELAYED_ADDRESS, there)
            .finish(Some(b"key"));
        let message = Message::read(&bytes).expect("a message");
        assert_eq!(
            (message.class, message.method),
            (Class::Success, Method::ChannelBind)
        );
        assert!(message.is_signed_with(b"key"));
        let found = message.get(attribute::XOR_RELAYED_ADDRESS).unwrap();
        assert_eq!(address(found, &transaction), Some(there));
    }
}

#[test]
fn one_changed_bit_is_noticed() {
    // Up to the fingerprint, which is behind the integrity and proves nothing.
    for at in 0..(REQUEST.len() - 8) * 8 {
        let mut bytes = REQUEST.to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        let holds = Message::read(&bytes).is_some_and(|m| m.is_signed_with(PASSWORD));
        assert!(!holds, "bit {at}");
    }
}

#[test]
fn what_stands_behind_the_integrity_does_not_count() {
    let signed = Writing::new(Class::Request, Method::Allocate, &[1; 12]);
    let mut bytes = signed.finish(Some(b"key"));
    // In place of the fingerprint.
    let at = bytes.len() - 8;
    bytes.truncate(at);
    bytes.extend([0x00, 0x06, 0x00, 0x04, b'e', b'v', b'i', b'l']);
    let message = Message::read(&bytes).expect("a message");
    assert!(message.is_signed_with(b"key"));
    assert_eq!(message.text(attribute::USERNAME), None);
}

#[test]
fn what_is_no_message_is_none() {
    let check = |bytes: &[u8]| assert!(Message::read(bytes).is_none(), "{bytes:?}");
    check(b"");
    check(&REQUEST[..19]);
    check(&REQUEST[..REQUEST.len() - 1]);
    check(&[REQUEST, b"more"].concat());
    // An attribute that claims more than there is.
    check(b"\x00\x01\x00\x04\x21\x12\xa4\x42aaaaaaaaaaaa\x00\x06\xff\xff");
    // Too many of them.
    let many = (0..60).fold(
        Writing::new(Class::Request, Method::Binding, &[0; 12]),
        |w, _| w.with(0x8022, b""),
    );
    check(&many.plain());
}
