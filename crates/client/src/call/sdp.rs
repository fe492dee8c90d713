//! The gate for session descriptions (RFC 8866): a small scanner that lets
//! pass what a Sotto makes and nothing that could lead a WebRTC stack astray.
//! It reads the three things that are signed for, and does not parse the rest.

use super::{
    candidate::{CANDIDATES_MAX, check_value},
    media::{Description, DescriptionKind, Fingerprint},
};
use sha2::{Digest as _, Sha256};

/// Longest description, in bytes.
pub(crate) const SDP_MAX: usize = 24 * 1024;
const LINE_MAX: usize = 2048;
/// Media sections of one description.
const SECTIONS_MAX: usize = 16;

/// What a description says of its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SdpFacts {
    pub fingerprint: Fingerprint,
    pub ufrag: String,
}

/// Why a description does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadSdp {
    /// Too long, not text, or not an SDP.
    Format,
    /// No fingerprint, a second one, or one of another hash than SHA-256.
    Fingerprint,
    /// No ICE credentials, or several.
    Ice,
    /// A media section that is not under DTLS.
    Plain,
    /// DTLS roles that do not fit the description's kind.
    Role,
    /// An address or candidate that the filter refuses.
    Address,
}

/// Names a description in answers and signatures.
pub(crate) fn sdp_hash(sdp: &str) -> [u8; 32] {
    Sha256::digest(sdp.as_bytes()).into()
}

/// Judges a description. `loopback`: see [`super::media::Paths`].
pub(crate) fn check_sdp(description: &Description, loopback: bool) -> Result<SdpFacts, BadSdp> {
    let sdp = &description.sdp;
    let plain = |b: u8| matches!(b, b'\r' | b'\n' | b' '..=b'~');
    if sdp.len() > SDP_MAX || !sdp.bytes().all(plain) {
        return Err(BadSdp::Format);
    }
    let mut scan = Scan {
        kind: description.kind,
        loopback,
        ..Scan::default()
    };
    for (number, line) in sdp.lines().enumerate() {
        if line.len() > LINE_MAX || line.contains('\r') || (number == 0 && line != "v=0") {
            return Err(BadSdp::Format);
        }
        scan.line(line)?;
    }
    scan.finish()
}

struct Scan {
    kind: DescriptionKind,
    loopback: bool,
    sections: usize,
    fingerprint: Option<Fingerprint>,
    ufrag: Option<String>,
    pwd: Option<String>,
    /// In this section already.
    here: Here,
    set_up: bool,
    candidates: usize,
}

#[derive(Default)]
struct Here {
    fingerprint: bool,
    ufrag: bool,
    pwd: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            kind: DescriptionKind::Offer,
            loopback: false,
            sections: 0,
            fingerprint: None,
            ufrag: None,
            pwd: None,
            here: Here::default(),
            set_up: false,
            candidates: 0,
        }
    }
}

impl Scan {
    fn line(&mut self, line: &str) -> Result<(), BadSdp> {
        let (letter, value) = line.split_once('=').ok_or(BadSdp::Format)?;
        match letter {
            "m" => self.section(value),
            "c" => nowhere(value),
            "a" => match value.split_once(':') {
                Some((name, value)) => self.attribute(name, value),
                None => Ok(()),
            },
            // Keys in the clear (RFC 8866 §5.12).
            "k" => Err(BadSdp::Plain),
            letter if letter.len() == 1 => Ok(()),
            _ => Err(BadSdp::Format),
        }
    }

    fn section(&mut self, value: &str) -> Result<(), BadSdp> {
        self.sections += 1;
        self.here = Here::default();
        let proto = value.split(' ').nth(2).ok_or(BadSdp::Format)?;
        let sealed = matches!(
            proto,
            "UDP/TLS/RTP/SAVPF" | "UDP/TLS/RTP/SAVP" | "UDP/DTLS/SCTP" | "DTLS/SCTP"
        );
        if self.sections > SECTIONS_MAX {
            Err(BadSdp::Format)
        } else if sealed {
            Ok(())
        } else {
            Err(BadSdp::Plain)
        }
    }

    fn attribute(&mut self, name: &str, value: &str) -> Result<(), BadSdp> {
        // A stack may not care about the case of names.
        match name.to_ascii_lowercase().as_str() {
            "fingerprint" => {
                let again = std::mem::replace(&mut self.here.fingerprint, true);
                let read = fingerprint(value).filter(|_| !again);
                once(&mut self.fingerprint, read, BadSdp::Fingerprint)
            }
            "ice-ufrag" => {
                let again = std::mem::replace(&mut self.here.ufrag, true);
                let read = credential(value, 4).filter(|_| !again);
                once(&mut self.ufrag, read, BadSdp::Ice)
            }
            "ice-pwd" => {
                let again = std::mem::replace(&mut self.here.pwd, true);
                let read = credential(value, 22).filter(|_| !again);
                once(&mut self.pwd, read, BadSdp::Ice)
            }
            "setup" => self.role(value),
            "candidate" => {
                self.candidates += 1;
                let fits = self.candidates <= CANDIDATES_MAX * SECTIONS_MAX;
                let sound = check_value(value, self.loopback).is_ok();
                if fits && sound {
                    Ok(())
                } else {
                    Err(BadSdp::Address)
                }
            }
            "rtcp" => match value.split_once(' ') {
                Some((_, address)) => nowhere(address),
                None => Ok(()),
            },
            "remote-candidates" => Err(BadSdp::Address),
            "crypto" | "key-mgmt" => Err(BadSdp::Plain),
            _ => Ok(()),
        }
    }

    fn role(&mut self, value: &str) -> Result<(), BadSdp> {
        self.set_up = true;
        let fits = match self.kind {
            DescriptionKind::Offer => value == "actpass",
            DescriptionKind::Answer => matches!(value, "active" | "passive"),
        };
        if fits { Ok(()) } else { Err(BadSdp::Role) }
    }

    fn finish(self) -> Result<SdpFacts, BadSdp> {
        if self.sections == 0 {
            return Err(BadSdp::Format);
        }
        if !self.set_up {
            return Err(BadSdp::Role);
        }
        let fingerprint = self.fingerprint.ok_or(BadSdp::Fingerprint)?;
        let (ufrag, _) = self.ufrag.zip(self.pwd).ok_or(BadSdp::Ice)?;
        Ok(SdpFacts { fingerprint, ufrag })
    }
}

/// Keeps the first; a later one must be the same.
fn once<T: PartialEq>(kept: &mut Option<T>, read: Option<T>, bad: BadSdp) -> Result<(), BadSdp> {
    let read = read.ok_or(bad)?;
    match kept {
        Some(first) if *first != read => Err(bad),
        _ => {
            *kept = Some(read);
            Ok(())
        }
    }
}

/// `sha-256 AA:BB:…`, 32 bytes (RFC 8122 §5).
fn fingerprint(value: &str) -> Option<Fingerprint> {
    let (hash, hex) = value.split_once(' ')?;
    if !hash.eq_ignore_ascii_case("sha-256") {
        return None;
    }
    let mut out = [0; 32];
    let mut bytes = hex.split(':');
    for byte in &mut out {
        let pair = bytes.next().filter(|pair| pair.len() == 2)?;
        let hex = pair.bytes().all(|b| b.is_ascii_hexdigit());
        *byte = u8::from_str_radix(pair, 16).ok().filter(|_| hex)?;
    }
    bytes.next().is_none().then_some(Fingerprint(out))
}

/// ICE characters, of at least so many (RFC 8839 §5.4).
fn credential(value: &str, least: usize) -> Option<String> {
    let sound = (least..=256).contains(&value.len())
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    sound.then(|| value.to_owned())
}

/// With trickle ICE a connection address says nothing yet.
fn nowhere(value: &str) -> Result<(), BadSdp> {
    match value {
        "IN IP4 0.0.0.0" | "IN IP6 ::" => Ok(()),
        _ => Err(BadSdp::Address),
    }
}

#[cfg(test)]
mod tests;
