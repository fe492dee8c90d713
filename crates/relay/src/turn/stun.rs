//! STUN messages (RFC 8489 §5, §14): read without a copy, and made. Bytes that
//! are none are `None`; nothing here panics on them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const COOKIE: u32 = 0x2112_a442;
const HEAD: usize = 20;
const INTEGRITY_LEN: usize = 20;
/// What FINGERPRINT is XORed with (RFC 8489 §14.7).
const FINGERPRINT_XOR: u32 = 0x5354_554e;
/// Attributes that are read of one message.
const ATTRIBUTES: usize = 48;

pub type Transaction = [u8; 12];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// The methods that are known here (RFC 8489 §18.1, RFC 8656 §17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Binding,
    Allocate,
    Refresh,
    Send,
    Data,
    CreatePermission,
    ChannelBind,
}

impl Method {
    fn number(self) -> u16 {
        match self {
            Self::Binding => 1,
            Self::Allocate => 3,
            Self::Refresh => 4,
            Self::Send => 6,
            Self::Data => 7,
            Self::CreatePermission => 8,
            Self::ChannelBind => 9,
        }
    }

    fn of(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::Binding,
            3 => Self::Allocate,
            4 => Self::Refresh,
            6 => Self::Send,
            7 => Self::Data,
            8 => Self::CreatePermission,
            9 => Self::ChannelBind,
            _ => return None,
        })
    }
}

/// The attributes that are known here (RFC 8489 §18.3, RFC 8656 §18).
pub mod attribute {
    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    pub const CHANNEL_NUMBER: u16 = 0x000c;
    pub const LIFETIME: u16 = 0x000d;
    pub const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub const DATA: u16 = 0x0013;
    pub const REALM: u16 = 0x0014;
    pub const NONCE: u16 = 0x0015;
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub const FINGERPRINT: u16 = 0x8028;

    /// From here on an unknown one may be passed over.
    pub const OPTIONAL: u16 = 0x8000;
}

use attribute::{FINGERPRINT, MESSAGE_INTEGRITY};

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    pub class: Class,
    pub method: Method,
    pub transaction: Transaction,
    raw: &'a [u8],
    attributes: Vec<(u16, &'a [u8])>,
    /// Where MESSAGE-INTEGRITY stands.
    integrity: Option<usize>,
}

impl<'a> Message<'a> {
    /// Reads one whole datagram. A FINGERPRINT, if there is one, must hold.
    pub fn read(raw: &'a [u8]) -> Option<Self> {
        let (head, body) = raw.split_at_checked(HEAD)?;
        let typ = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let cookie = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        if typ >= 0x4000 || cookie != COOKIE || length != body.len() || length % 4 != 0 {
            return None;
        }
        let (class, method) = kind(typ)?;
        let mut message = Self {
            class,
            method,
            transaction: head[8..].try_into().ok()?,
            raw,
            attributes: Vec::new(),
            integrity: None,
        };
        message.take_attributes()?;
        Some(message)
    }

    fn take_attributes(&mut self) -> Option<()> {
        let mut at = HEAD;
        while at < self.raw.len() {
            let head = self.raw.get(at..at + 4)?;
            let typ = u16::from_be_bytes([head[0], head[1]]);
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let value = self.raw.get(at + 4..at + 4 + length)?;
            let end = at + 4 + length.next_multiple_of(4);
            if typ == FINGERPRINT {
                // The last one, always.
                let whole = end == self.raw.len() && length == 4;
                let expect = crc32(&self.raw[..at]) ^ FINGERPRINT_XOR;
                return (whole && value == expect.to_be_bytes()).then_some(());
            }
            // What stands behind the integrity is not protected by it.
            if self.integrity.is_none() {
                if typ == MESSAGE_INTEGRITY {
                    (length == INTEGRITY_LEN).then_some(())?;
                    self.integrity = Some(at);
                } else if self.attributes.len() < ATTRIBUTES {
                    self.attributes.push((typ, value));
                } else {
                    return None;
                }
            }
            at = end;
        }
        (at == self.raw.len()).then_some(())
    }

    /// The first attribute of this type.
    pub fn get(&self, typ: u16) -> Option<&'a [u8]> {
        self.all(typ).next()
    }

    pub fn all(&self, typ: u16) -> impl Iterator<Item = &'a [u8]> {
        let own = self.attributes.iter().filter(move |(t, _)| *t == typ);
        own.map(|(_, value)| *value)
    }

    pub fn text(&self, typ: u16) -> Option<&'a str> {
        std::str::from_utf8(self.get(typ)?).ok()
    }

    /// What must be understood and is not (RFC 8489 §6.3.1).
    pub fn unknown(&self) -> Vec<u16> {
        use attribute as a;
        let known = [
            a::USERNAME,
            a::ERROR_CODE,
            a::UNKNOWN_ATTRIBUTES,
            a::CHANNEL_NUMBER,
            a::LIFETIME,
            a::XOR_PEER_ADDRESS,
            a::DATA,
            a::REALM,
            a::NONCE,
            a::XOR_RELAYED_ADDRESS,
            a::REQUESTED_ADDRESS_FAMILY,
            a::REQUESTED_TRANSPORT,
            a::XOR_MAPPED_ADDRESS,
        ];
        let types = self.attributes.iter().map(|(typ, _)| *typ);
        types
            .filter(|typ| *typ < a::OPTIONAL && !known.contains(typ))
            .collect()
    }

    pub fn is_signed(&self) -> bool {
        self.integrity.is_some()
    }

    /// Whether MESSAGE-INTEGRITY was made with this key, in constant time.
    pub fn is_signed_with(&self, key: &[u8]) -> bool {
        let Some(at) = self.integrity else {
            return false;
        };
        let mut mac = sha1_mac(key);
        mac.update(&with_length(self.raw, at + 4 + INTEGRITY_LEN - HEAD));
        mac.update(&self.raw[HEAD..at]);
        let shown = &self.raw[at + 4..at + 4 + INTEGRITY_LEN];
        mac.verify_slice(shown).is_ok()
    }
}

/// A message being made.
#[derive(Debug)]
pub struct Writing {
    raw: Vec<u8>,
}

impl Writing {
    pub fn new(class: Class, method: Method, transaction: &Transaction) -> Self {
        let mut raw = Vec::with_capacity(128);
        raw.extend(number(class, method).to_be_bytes());
        raw.extend([0, 0]);
        raw.extend(COOKIE.to_be_bytes());
        raw.extend(transaction);
        Self { raw }
    }

    pub fn with(mut self, typ: u16, value: &[u8]) -> Self {
        self.raw.extend(typ.to_be_bytes());
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.raw.extend(length.to_be_bytes());
        self.raw.extend(&value[..usize::from(length)]);
        self.raw.resize(self.raw.len().next_multiple_of(4), 0);
        self
    }

    pub fn with_address(self, typ: u16, address: SocketAddr) -> Self {
        let transaction: Transaction = self.raw[8..HEAD].try_into().expect("twelve bytes");
        self.with(typ, &xored(address, &transaction))
    }

    pub fn with_error(self, code: u16, reason: &str) -> Self {
        let number = u8::try_from(code % 100).unwrap_or_default();
        let class = u8::try_from(code / 100).unwrap_or_default();
        let mut value = vec![0, 0, class, number];
        value.extend(reason.bytes());
        self.with(attribute::ERROR_CODE, &value)
    }

    /// The bytes, signed if there is a key, and with a fingerprint.
    pub fn finish(mut self, key: Option<&[u8]>) -> Vec<u8> {
        if let Some(key) = key {
            let mut mac = sha1_mac(key);
            let length = self.raw.len() + 4 + INTEGRITY_LEN - HEAD;
            mac.update(&with_length(&self.raw, length));
            mac.update(&self.raw[HEAD..]);
            let made: [u8; INTEGRITY_LEN] = mac.finalize().into_bytes().into();
            self = self.with(MESSAGE_INTEGRITY, &made);
        }
        let length = self.raw.len() + 8 - HEAD;
        self.set_length(length);
        let value = crc32(&self.raw) ^ FINGERPRINT_XOR;
        self.with(FINGERPRINT, &value.to_be_bytes()).raw
    }

    /// The bytes as they are: for indications, which are many.
    pub fn plain(mut self) -> Vec<u8> {
        let length = self.raw.len() - HEAD;
        self.set_length(length);
        self.raw
    }

    fn set_length(&mut self, length: usize) {
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        self.raw[2..4].copy_from_slice(&length.to_be_bytes());
    }
}

fn sha1_mac(key: &[u8]) -> Hmac<Sha1> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The head of `raw`, as if so many bytes followed.
fn with_length(raw: &[u8], length: usize) -> [u8; HEAD] {
    let mut head: [u8; HEAD] = raw[..HEAD].try_into().expect("a message has a head");
    let length = u16::try_from(length).unwrap_or(u16::MAX);
    head[2..4].copy_from_slice(&length.to_be_bytes());
    head
}

/// Class and method are interleaved (RFC 8489 §5).
fn kind(typ: u16) -> Option<(Class, Method)> {
    let class = match (typ & 0x0100 != 0, typ & 0x0010 != 0) {
        (false, false) => Class::Request,
        (false, true) => Class::Indication,
        (true, false) => Class::Success,
        (true, true) => Class::Error,
    };
    let method = (typ & 0x000f) | (typ & 0x00e0) >> 1 | (typ & 0x3e00) >> 2;
    Some((class, Method::of(method)?))
}

fn number(class: Class, method: Method) -> u16 {
    let class = match class {
        Class::Request => 0,
        Class::Indication => 0x0010,
        Class::Success => 0x0100,
        Class::Error => 0x0110,
    };
    let m = method.number();
    class | (m & 0x000f) | (m & 0x0070) << 1 | (m & 0x0f80) << 2
}

/// RFC 8489 §14.2.
fn xored(address: SocketAddr, transaction: &Transaction) -> Vec<u8> {
    let port = address.port() ^ (COOKIE >> 16) as u16;
    let mut value = vec![0, if address.is_ipv4() { 1 } else { 2 }];
    value.extend(port.to_be_bytes());
    match address.ip() {
        IpAddr::V4(v4) => value.extend((v4.to_bits() ^ COOKIE).to_be_bytes()),
        IpAddr::V6(v6) => value.extend((v6.to_bits() ^ mask(transaction)).to_be_bytes()),
    }
    value
}

/// The address in an XOR- attribute, exactly as it is written there.
pub fn address(value: &[u8], transaction: &Transaction) -> Option<SocketAddr> {
    let (head, bytes) = value.split_at_checked(4)?;
    let port = u16::from_be_bytes([head[2], head[3]]) ^ (COOKIE >> 16) as u16;
    let ip = match head[1] {
        1 => {
            let bits = u32::from_be_bytes(bytes.try_into().ok()?);
            Ipv4Addr::from_bits(bits ^ COOKIE).into()
        }
        2 => {
            let bits = u128::from_be_bytes(bytes.try_into().ok()?);
            Ipv6Addr::from_bits(bits ^ mask(transaction)).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn mask(transaction: &Transaction) -> u128 {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&COOKIE.to_be_bytes());
    bytes[4..].copy_from_slice(transaction);
    u128::from_be_bytes(bytes)
}

/// CRC-32 as in ISO 3309, over a short message.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc >>= 1;
            if carry == 1 {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc
}

#[cfg(test)]
mod tests;
