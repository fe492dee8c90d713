//! Invite links: made, and read back out of whatever a person pastes.
//!
//! `sotto://join/<host:port>/<room>?invite=<id>&by=<user>&expires=<ms>#<secret>`,
//! with `tls=0` for a relay without TLS and `pin=` for one that is known by its
//! certificate. The secret is in the fragment only, the part of a URL that no
//! client sends to a server. Unknown parameters are passed over.
//!
//! Whether an invite was revoked or has room left is known in the room, not
//! here.

pub mod proof;

use proof::Terms;
use rand_core::CryptoRng;
use sotto_wire::{MessageId, Millis, RelayAddress, RoomId, UserId, address::BadAddress, bytes};
use std::{fmt, str::FromStr};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// What somebody must know to be let in: 256 random bits. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct InviteSecret([u8; 32]);

impl InviteSecret {
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut secret = Self([0; 32]);
        rng.fill_bytes(&mut secret.0);
        secret
    }

    pub fn from_bytes(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// The secret itself, for deriving keys and for the store.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for InviteSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<invite secret>")
    }
}

impl PartialEq for InviteSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for InviteSecret {}

/// A way into a room. Printing it prints the secret: that is what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub relay: RelayAddress,
    pub room: RoomId,
    pub invite: MessageId,
    /// Whose room it leads into: who answers has to prove that it was this
    /// account that invited. See [`proof`].
    pub inviter: UserId,
    pub secret: InviteSecret,
    /// It opens nothing from this moment on.
    pub expires: Millis,
}

/// Why a link leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    #[error("there is no invite link in this text")]
    NotALink,
    #[error("the link was made by another version of Sotto")]
    OtherVersion,
    #[error("the link names no relay: {0}")]
    Relay(BadAddress),
    #[error("the link names no room")]
    Room,
    #[error("the link names no invite")]
    Invite,
    #[error("the link does not say who invites")]
    Inviter,
    #[error("the end of the link, after the #, is missing")]
    SecretMissing,
    #[error("the end of the link, after the #, is damaged")]
    SecretDamaged,
    #[error("the link does not say until when it is good")]
    Expiry,
    #[error("the link has expired")]
    Expired,
}

const SCHEME: &str = "sotto://";
/// What a link is for, and its version: another shape gets another word.
const WORD: &str = "join/";
/// Length of a secret in a link.
const SECRET_TEXT: usize = 43;

impl Link {
    /// Whether it is still good at this time.
    pub fn check(&self, now: Millis) -> Result<(), BadLink> {
        if now < self.expires {
            Ok(())
        } else {
            Err(BadLink::Expired)
        }
    }

    /// What the inviter has signed.
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            room: self.room,
            invite: self.invite,
            secret: &self.secret,
            expires: self.expires,
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            relay,
            room,
            invite,
            inviter,
            secret,
            expires,
        } = self;
        let authority = relay.authority();
        write!(
            f,
            "{SCHEME}{WORD}{authority}/{room}?invite={invite}&by={inviter}&expires={expires}"
        )?;
        if !relay.secure {
            f.write_str("&tls=0")?;
        }
        if let Some(pin) = &relay.pin {
            write!(f, "&pin={}", bytes::encode(pin))?;
        }
        let secret = Zeroizing::new(bytes::encode(secret.expose()));
        write!(f, "#{}", secret.as_str())
    }
}

impl FromStr for Link {
    type Err = BadLink;

    /// Reads the first link in a text, with anything around it that people
    /// and chat apps put there: blanks, brackets, quotes, a sentence.
    fn from_str(text: &str) -> Result<Self, BadLink> {
        let link = find(text)
            .filter(|link| !link.is_empty())
            .ok_or(BadLink::NotALink)?;
        let rest = strip_prefix(link, WORD).ok_or(BadLink::OtherVersion)?;
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (rest, None),
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, room) = path.split_once('/').unwrap_or((path, ""));
        let query = Query(query);
        Ok(Self {
            relay: read_relay(authority, &query).map_err(BadLink::Relay)?,
            room: room
                .trim_end_matches('/')
                .parse()
                .map_err(|_| BadLink::Room)?,
            invite: query
                .get("invite")
                .and_then(|id| id.parse().ok())
                .ok_or(BadLink::Invite)?,
            inviter: query
                .get("by")
                .and_then(|user| user.parse().ok())
                .ok_or(BadLink::Inviter)?,
            expires: query
                .get("expires")
                .and_then(read_millis)
                .ok_or(BadLink::Expiry)?,
            secret: read_secret(fragment.ok_or(BadLink::SecretMissing)?)?,
        })
    }
}

/// The first link in a text, without its scheme, up to the first character
/// that no link has.
fn find(text: &str) -> Option<&str> {
    let start = text
        .as_bytes()
        .windows(SCHEME.len())
        .position(|window| window.eq_ignore_ascii_case(SCHEME.as_bytes()))?;
    // The scheme is ASCII: what follows it begins at a character.
    let rest = &text[start + SCHEME.len()..];
    let ends = |c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | '`' | '\\');
    Some(rest.split(ends).next().unwrap_or(rest))
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn read_relay(authority: &str, query: &Query<'_>) -> Result<RelayAddress, BadAddress> {
    if authority.is_empty() {
        return Err(BadAddress::Empty);
    }
    let scheme = match query.get("tls") {
        None | Some("1") => "wss",
        Some("0") => "ws",
        Some(_) => return Err(BadAddress::Scheme),
    };
    match query.get("pin") {
        Some(pin) => format!("{scheme}://{authority}#{pin}").parse(),
        None => format!("{scheme}://{authority}").parse(),
    }
}

fn read_millis(text: &str) -> Option<Millis> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// Reads the secret that a fragment begins with; what follows it may be
/// punctuation, but not more of the same alphabet, save the underscores that
/// stand around emphasized text.
fn read_secret(fragment: &str) -> Result<InviteSecret, BadLink> {
    let alphabet = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let end = fragment.find(|c| !alphabet(c)).unwrap_or(fragment.len());
    if end == 0 {
        return Err(BadLink::SecretMissing);
    }
    let (secret, more) = fragment[..end]
        .split_at_checked(SECRET_TEXT)
        .ok_or(BadLink::SecretDamaged)?;
    if more.bytes().any(|b| b != b'_') {
        return Err(BadLink::SecretDamaged);
    }
    bytes::decode_array(secret)
        .map(InviteSecret)
        .ok_or(BadLink::SecretDamaged)
}

/// The parameters of a link.
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// The first value of that name. Links copied out of HTML have `&amp;`
    /// between their parameters.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0
            .split('&')
            .map(|pair| pair.strip_prefix("amp;").unwrap_or(pair))
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }
}

#[cfg(test)]
mod tests;
