//! What two ends of a call tell each other: a closed set. Sizes are bounded
//! here; what it means is decided in [`super::link`].

use super::{
    media::{Candidate, Fingerprint, ScreenMode, Trouble},
    view::{MediaState, Troubles},
};
use serde::{Deserialize, Serialize};
use sotto_wire::{Bytes, Millis};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Longest encoded payload, in bytes.
const PAYLOAD_MAX: usize = 40 * 1024;
/// Longest reaction, in characters.
pub(crate) const REACTION_MAX: usize = 8;

/// What a signal is for: part of what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SignalPurpose {
    Offer,
    Answer,
    Candidates,
    Confirm,
    Key,
    KeyAck,
    State,
    React,
    Restart,
}

impl SignalPurpose {
    #[cfg(test)]
    pub const ALL: [Self; 9] = [
        Self::Offer,
        Self::Answer,
        Self::Candidates,
        Self::Confirm,
        Self::Key,
        Self::KeyAck,
        Self::State,
        Self::React,
        Self::Restart,
    ];

    /// Never change or reuse one.
    pub fn label(self) -> &'static [u8] {
        match self {
            Self::Offer => b"offer",
            Self::Answer => b"answer",
            Self::Candidates => b"candidates",
            Self::Confirm => b"confirm",
            Self::Key => b"key",
            Self::KeyAck => b"key_ack",
            Self::State => b"state",
            Self::React => b"react",
            Self::Restart => b"restart",
        }
    }
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub(crate) enum Payload {
    Offer(Sdp),
    /// `offer`: hash of the offer it answers.
    Answer {
        #[serde(flatten)]
        sdp: Sdp,
        offer: Bytes,
    },
    /// All candidates so far of the description with this hash.
    Candidates {
        of: Bytes,
        list: Vec<CandidateLine>,
    },
    /// Both certificates of the DTLS connection, as its sender saw them, and
    /// whether it has seen the other end's confirmation.
    Confirm {
        local: Bytes,
        remote: Bytes,
        got: bool,
    },
    /// The seed of a media key, made in this MLS epoch.
    Key {
        kid: u64,
        epoch: u64,
        seed: Seed,
    },
    /// What its sender has of the other: the newest key, the newest state.
    KeyAck {
        kid: Option<u64>,
        state: u64,
    },
    /// What its sender sends; `n` grows.
    State {
        n: u64,
        microphone: bool,
        camera: bool,
        screen: Option<Screen>,
        hand: Option<Millis>,
        /// What of it does not work.
        #[serde(default, skip_serializing_if = "Ails::is_nothing")]
        ails: Ails,
    },
    React {
        emoji: String,
    },
    /// Find a new path; `fresh`: by a new connection.
    Restart {
        fresh: bool,
    },
}

/// A description, with what is signed for it by name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sdp {
    pub sdp: String,
    pub fingerprint: Bytes,
    pub ufrag: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CandidateLine {
    pub line: String,
    pub mid: String,
}

impl From<&Candidate> for CandidateLine {
    fn from(candidate: &Candidate) -> Self {
        Self {
            line: candidate.line.clone(),
            mid: candidate.mid.clone(),
        }
    }
}

impl From<CandidateLine> for Candidate {
    fn from(CandidateLine { line, mid }: CandidateLine) -> Self {
        Self { line, mid }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Screen {
    Text,
    Motion,
}

impl From<ScreenMode> for Screen {
    fn from(mode: ScreenMode) -> Self {
        match mode {
            ScreenMode::Text => Self::Text,
            ScreenMode::Motion => Self::Motion,
        }
    }
}

impl From<Screen> for ScreenMode {
    fn from(screen: Screen) -> Self {
        match screen {
            Screen::Text => Self::Text,
            Screen::Motion => Self::Motion,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Ails {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    microphone: Option<Ail>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    camera: Option<Ail>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    screen: Option<Ail>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ail {
    NoDevice,
    Busy,
    Refused,
    Vanished,
    /// And whatever has no word here yet.
    #[serde(other)]
    Broken,
}

impl Ails {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl From<Troubles> for Ails {
    fn from(troubles: Troubles) -> Self {
        Self {
            microphone: troubles.microphone.map(Into::into),
            camera: troubles.camera.map(Into::into),
            screen: troubles.screen.map(Into::into),
        }
    }
}

impl From<Ails> for Troubles {
    fn from(ails: Ails) -> Self {
        Self {
            microphone: ails.microphone.map(Into::into),
            camera: ails.camera.map(Into::into),
            screen: ails.screen.map(Into::into),
        }
    }
}

impl From<Trouble> for Ail {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NoDevice => Self::NoDevice,
            Trouble::Busy => Self::Busy,
            Trouble::Refused => Self::Refused,
            Trouble::Vanished => Self::Vanished,
            Trouble::Broken => Self::Broken,
        }
    }
}

impl From<Ail> for Trouble {
    fn from(ail: Ail) -> Self {
        match ail {
            Ail::NoDevice => Self::NoDevice,
            Ail::Busy => Self::Busy,
            Ail::Refused => Self::Refused,
            Ail::Vanished => Self::Vanished,
            Ail::Broken => Self::Broken,
        }
    }
}

/// The secret that travels, wiped when dropped. Serialized here on purpose:
/// signals are the one place that hands it on, sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seed(Bytes);

impl Seed {
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(secret.as_slice().into())
    }

    pub fn secret(&self) -> Option<Zeroizing<[u8; 32]>> {
        <[u8; 32]>::try_from(&self.0[..]).ok().map(Zeroizing::new)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.0.zeroize();
    }
}

impl Payload {
    pub fn purpose(&self) -> SignalPurpose {
        use SignalPurpose as P;
        match self {
            Self::Offer(_) => P::Offer,
            Self::Answer { .. } => P::Answer,
            Self::Candidates { .. } => P::Candidates,
            Self::Confirm { .. } => P::Confirm,
            Self::Key { .. } => P::Key,
            Self::KeyAck { .. } => P::KeyAck,
            Self::State { .. } => P::State,
            Self::React { .. } => P::React,
            Self::Restart { .. } => P::Restart,
        }
    }

    pub fn state(n: u64, state: &MediaState) -> Self {
        Self::State {
            n,
            microphone: state.microphone,
            camera: state.camera,
            screen: state.screen.map(Into::into),
            hand: state.hand,
            ails: state.troubles.into(),
        }
    }

    pub fn confirm((local, remote): (Fingerprint, Fingerprint), got: bool) -> Self {
        Self::Confirm {
            local: local.0.as_slice().into(),
            remote: remote.0.as_slice().into(),
            got,
        }
    }

    pub fn encode(&self) -> Zeroizing<String> {
        Zeroizing::new(serde_json::to_string(self).expect("a payload is plain data"))
    }

    pub fn decode(text: &str) -> Option<Self> {
        if text.len() > PAYLOAD_MAX {
            return None;
        }
        serde_json::from_str(text).ok()
    }
}

// Seeds, addresses and names of devices are in there.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{:?}>", self.purpose())
    }
}
