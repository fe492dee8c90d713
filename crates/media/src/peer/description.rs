//! The peer's SDP before anything else looks at it: a stranger's text, signed
//! or not. What is not one of our own shapes is refused here, so that the
//! library behind never sees it. Candidates in it are taken out: they come by
//! their own way, through the client's filter.
//!
//! The shape: one bundle of audio, video (camera), video (screen) and a data
//! channel, one certificate by SHA-256, RTCP on the same port.

use sotto_client::call::media::Fingerprint;
use std::collections::BTreeSet;

/// Longest description looked at, in octets, and its lines.
const LONGEST: usize = 64 << 10;
const MOST_LINES: usize = 2000;
const LONGEST_LINE: usize = 2048;

/// Longest candidate line, in octets.
const LONGEST_CANDIDATE: usize = 512;

/// The media sections, in order.
const SECTIONS: [&str; 4] = ["audio", "video", "video", "application"];

/// A description that was looked through.
#[derive(PartialEq, Eq)]
pub(super) struct Checked {
    /// The text for the library, without candidates.
    pub sdp: String,
    pub fingerprint: Fingerprint,
    /// Of audio, camera, screen and data.
    pub mids: [String; 4],
    /// The names of the peer's streams (SSRC), with what repairs them.
    pub streams: BTreeSet<u32>,
    /// The peer takes the active part in DTLS.
    pub setup: Setup,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setup {
    Active,
    Passive,
    Either,
}

/// Why a description is not used. The text itself is never shown: it names
/// addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("too long")]
    TooLong,
    #[error("no SDP")]
    NotSdp,
    #[error("other media sections than ours")]
    Sections,
    #[error("no certificate, several, or one by a weak hash")]
    Fingerprint,
    #[error("two sections or streams under one name")]
    Ambiguous,
    #[error("no ICE credentials, or several")]
    Credentials,
    #[error("a section that is not bundled, both ways and multiplexed")]
    Transport,
}

/// Looks through a description.
pub(super) fn check(sdp: &str) -> Result<Checked, Unusable> {
    if sdp.len() > LONGEST {
        return Err(Unusable::TooLong);
    }
    let mut reader = Reader::default();
    let mut kept = String::with_capacity(sdp.len());
    for (number, line) in sdp.lines().enumerate() {
        if number >= MOST_LINES || line.len() > LONGEST_LINE {
            return Err(Unusable::TooLong);
        }
        if line.is_empty() {
            continue;
        }
        if reader.read(number, line)? {
            kept.push_str(line);
            kept.push_str("\r\n");
        }
    }
    reader.finish(kept)
}

/// Our own text for the other end: candidates are told one by one.
pub(super) fn without_candidates(sdp: &str) -> String {
    let kept = |line: &&str| !line.starts_with("a=candidate") && *line != "a=end-of-candidates";
    sdp.lines()
        .filter(kept)
        .flat_map(|line| [line, "\r\n"])
        .collect()
}

/// Whether a candidate line has the shape of one (RFC 8839 §5.1), over UDP.
pub(super) fn is_candidate(line: &str) -> bool {
    if line.len() > LONGEST_CANDIDATE || !line.is_ascii() || line.chars().any(char::is_control) {
        return false;
    }
    let line = line.strip_prefix("a=").unwrap_or(line);
    let line = line.strip_prefix("candidate:").unwrap_or(line);
    let fields: Vec<_> = line.split(' ').collect();
    fields.len() >= 8
        && fields.len() % 2 == 0
        && fields[1] == "1"
        && fields[2].eq_ignore_ascii_case("udp")
        && fields[3].parse::<u32>().is_ok()
        && fields[4].parse::<std::net::IpAddr>().is_ok()
        && fields[5].parse::<u16>().is_ok_and(|port| port != 0)
        && fields[6] == "typ"
        && matches!(fields[7], "host" | "srflx" | "prflx" | "relay")
}

#[derive(Default)]
struct Reader {
    fingerprints: BTreeSet<[u8; 32]>,
    credentials: BTreeSet<(char, String)>,
    setups: BTreeSet<String>,
    streams: BTreeSet<(usize, u32)>,
    groups: usize,
    bundled: Vec<String>,
    sections: Vec<Section>,
}

#[derive(Default)]
struct Section {
    mid: Option<String>,
    multiplexed: bool,
    one_way: bool,
}

impl Reader {
    /// Whether the line stays.
    fn read(&mut self, number: usize, line: &str) -> Result<bool, Unusable> {
        if number == 0 {
            return (line == "v=0").then_some(true).ok_or(Unusable::NotSdp);
        }
        if !line.is_ascii() || line.chars().any(char::is_control) {
            return Err(Unusable::NotSdp);
        }
        match line.split_once('=') {
            Some(("m", media)) => self.section(media).map(|()| true),
            Some(("a", attribute)) => self.attribute(attribute),
            Some((kind, _)) if kind.len() == 1 => Ok(true),
            _ => Err(Unusable::NotSdp),
        }
    }

    fn section(&mut self, media: &str) -> Result<(), Unusable> {
        let fields: Vec<_> = media.split(' ').collect();
        let expected = SECTIONS.get(self.sections.len());
        if fields.len() < 4 || expected != fields.first() || fields[1] == "0" {
            return Err(Unusable::Sections);
        }
        self.sections.push(Section::default());
        Ok(())
    }

    fn attribute(&mut self, attribute: &str) -> Result<bool, Unusable> {
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        match name {
            "candidate" | "remote-candidates" | "end-of-candidates" => return Ok(false),
            "fingerprint" => {
                let print = fingerprint(value).ok_or(Unusable::Fingerprint)?;
                self.fingerprints.insert(print);
            }
            "ice-ufrag" => self.credential('u', value)?,
            "ice-pwd" => self.credential('p', value)?,
            "ice-lite" => return Err(Unusable::Transport),
            "setup" => {
                self.setups.insert(value.to_owned());
            }
            "group" => {
                self.groups += 1;
                self.bundled = value.split(' ').map(str::to_owned).collect();
            }
            "mid" => self.mid(value)?,
            "rtcp-mux" => self.here()?.multiplexed = true,
            "sendonly" | "recvonly" | "inactive" => self.here()?.one_way = true,
            "rid" | "simulcast" => return Err(Unusable::Ambiguous),
            "ssrc" => self.stream(value)?,
            _ => {}
        }
        Ok(true)
    }

    fn here(&mut self) -> Result<&mut Section, Unusable> {
        self.sections.last_mut().ok_or(Unusable::Sections)
    }

    fn credential(&mut self, which: char, value: &str) -> Result<(), Unusable> {
        let fits = match which {
            'u' => (4..=256).contains(&value.len()),
            _ => (22..=256).contains(&value.len()),
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
        // Chromium's base64 and aiortc's letters both pass; nothing else does.
        if !fits || !value.chars().all(legal) {
            return Err(Unusable::Credentials);
        }
        self.credentials.insert((which, value.to_owned()));
        Ok(())
    }

    fn mid(&mut self, value: &str) -> Result<(), Unusable> {
        let taken = self
            .sections
            .iter()
            .any(|s| s.mid.as_deref() == Some(value));
        let section = self.here()?;
        let legal = (1..=16).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic());
        if taken || section.mid.is_some() || !legal {
            return Err(Unusable::Ambiguous);
        }
        section.mid = Some(value.to_owned());
        Ok(())
    }

    /// One stream cannot be in two sections.
    fn stream(&mut self, value: &str) -> Result<(), Unusable> {
        let number = value.split(' ').next().unwrap_or_default();
        let ssrc: u32 = number.parse().map_err(|_| Unusable::Ambiguous)?;
        let section = self.sections.len();
        if self.streams.iter().any(|&(s, n)| n == ssrc && s != section) {
            return Err(Unusable::Ambiguous);
        }
        self.streams.insert((section, ssrc));
        let here = self.streams.iter().filter(|(s, _)| *s == section).count();
        // A stream and what repairs it.
        (here <= 2).then_some(()).ok_or(Unusable::Ambiguous)
    }

    fn finish(self, sdp: String) -> Result<Checked, Unusable> {
        if self.sections.len() != SECTIONS.len() {
            return Err(Unusable::Sections);
        }
        let mut prints = self.fingerprints.into_iter();
        let (Some(print), None) = (prints.next(), prints.next()) else {
            return Err(Unusable::Fingerprint);
        };
        if self.credentials.len() != 2 {
            return Err(Unusable::Credentials);
        }
        let mut setups = self.setups.into_iter();
        let setup = match (setups.next().as_deref(), setups.next()) {
            (Some("active"), None) => Setup::Active,
            (Some("passive"), None) => Setup::Passive,
            (Some("actpass"), None) => Setup::Either,
            _ => return Err(Unusable::Transport),
        };
        let mut mids = Vec::new();
        for (index, section) in self.sections.into_iter().enumerate() {
            let media = index + 1 < SECTIONS.len();
            if media && (!section.multiplexed || section.one_way) {
                return Err(Unusable::Transport);
            }
            mids.push(section.mid.ok_or(Unusable::Ambiguous)?);
        }
        let mut bundle = self.bundled.iter();
        let bundled = self.groups == 1
            && bundle.next().is_some_and(|first| first == "BUNDLE")
            && bundle.eq(mids.iter());
        if !bundled {
            return Err(Unusable::Transport);
        }
        let mids = mids.try_into().map_err(|_| Unusable::Sections)?;
        Ok(Checked {
            sdp,
            fingerprint: Fingerprint(print),
            mids,
            streams: self.streams.into_iter().map(|(_, name)| name).collect(),
            setup,
        })
    }
}

/// `sha-256 AB:CD:…` (RFC 8122 §5).
fn fingerprint(value: &str) -> Option<[u8; 32]> {
    let (hash, octets) = value.split_once(' ')?;
    if !hash.eq_ignore_ascii_case("sha-256") {
        return None;
    }
    let mut print = [0; 32];
    let mut parts = octets.split(':');
    for octet in &mut print {
        let part = parts.next().filter(|p| p.len() == 2)?;
        *octet = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(print)
}

#[cfg(test)]
mod tests;
