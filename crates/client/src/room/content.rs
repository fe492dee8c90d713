//! What members say inside MLS application messages: JSON, padded to size
//! buckets, with the message's id inside so that the relay cannot give one
//! message another's name.

use super::trail::Seen;
use crate::{call::ledger::CallSaying, model::MessageBody, pad};
use serde::{Deserialize, Serialize};
use sotto_wire::MessageId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub id: MessageId,
    #[serde(flatten)]
    pub saying: Saying,
    /// What its author had seen by then. Set when it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Saying {
    Text(MessageBody),
    /// "I am leaving": whoever commits next removes my leaf.
    Leave,
    /// The host ends the room.
    Delete,
    /// Of the room's call.
    Call(CallSaying),
}

impl Content {
    pub fn encode(&self) -> Vec<u8> {
        pad::pad(&serde_json::to_vec(self).expect("content is plain data"))
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(pad::unpad(bytes)?).ok()
    }
}

/// A passing signal: sealed, not stored, dropped when in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signal {
    /// Grows with every signal of a sender, so that none counts twice.
    pub n: u64,
    #[serde(flatten)]
    pub says: SignalKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum SignalKind {
    Typing {
        on: bool,
    },
    /// Everything up to this seq was read.
    Read {
        up_to: u64,
    },
}
