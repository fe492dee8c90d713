//! Frames to text and back.
//!
//! Decoding never fails without an answer: what cannot be read becomes a
//! [`WireError`] that carries the request's id where that much could be read.

use crate::{ClientFrame, ErrorCode, RelayFrame, RequestId, WireError, limits};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A frame with the name of the request it is or answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<F> {
    pub id: Option<RequestId>,
    pub frame: F,
}

impl<F> From<F> for Envelope<F> {
    fn from(frame: F) -> Self {
        Self { id: None, frame }
    }
}

/// A direction of the protocol.
pub trait Frame: Serialize + DeserializeOwned {
    /// Every `type` of this direction.
    const TYPES: &'static [&'static str];

    /// Whether the frame has an `id` field of its own.
    fn names_itself(&self) -> bool;

    /// Longest text of a frame with this `type`.
    fn max_len(kind: &str) -> usize;
}

impl Frame for ClientFrame {
    const TYPES: &'static [&'static str] = &[
        "auth",
        "ping",
        "room.create",
        "room.open",
        "room.knock",
        "room.deny",
        "room.leave",
        "room.delete",
        "host.transfer",
        "chat.send",
        "chat.signal",
        "chat.received",
        "direct.send",
        "direct.received",
        "keys.publish",
        "keys.take",
        "presence.set",
        "call.initiate",
        "call.join",
        "call.leave",
        "call.signal",
        "turn.take",
    ];

    fn names_itself(&self) -> bool {
        matches!(
            self,
            Self::ChatSend(_)
                | Self::DirectSend { .. }
                | Self::DirectReceived { .. }
                | Self::RoomKnock { .. }
        )
    }

    fn max_len(kind: &str) -> usize {
        match kind {
            "chat.send" | "direct.send" | "keys.publish" => limits::LARGE_FRAME,
            _ => limits::FRAME,
        }
    }
}

impl Frame for RelayFrame {
    const TYPES: &'static [&'static str] = &[
        "auth.ok",
        "auth.error",
        "pong",
        "room.created",
        "room.opened",
        "room.knocked",
        "room.denied",
        "room.left",
        "room.deleted",
        "host.updated",
        "chat.ack",
        "chat.receive",
        "chat.signal",
        "chat.delivered",
        "direct.ack",
        "direct.receive",
        "keys.published",
        "keys.taken",
        "keys.low",
        "presence.update",
        "call.initiate",
        "call.updated",
        "call.signal",
        "turn.taken",
        "notice",
        "error",
    ];

    fn names_itself(&self) -> bool {
        matches!(
            self,
            Self::ChatAck { .. }
                | Self::ChatReceive(_)
                | Self::DirectAck { .. }
                | Self::DirectReceive { .. }
                | Self::Error(_)
        )
    }

    /// A relay may add its own envelope to the largest thing a client sent.
    fn max_len(_kind: &str) -> usize {
        limits::LARGE_FRAME + limits::FRAME
    }
}

#[derive(Serialize)]
struct Named<'a, F> {
    #[serde(flatten)]
    frame: &'a F,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RequestId>,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct IdOnly {
    id: RequestId,
}

/// The frame as one line of JSON.
pub fn encode<F: Frame>(envelope: &Envelope<F>) -> String {
    let id = envelope
        .id
        .as_ref()
        .filter(|_| !envelope.frame.names_itself());
    serde_json::to_string(&Named {
        frame: &envelope.frame,
        id,
    })
    .expect("frames hold only strings, numbers and lists, which JSON can print")
}

/// Reads one frame.
///
/// Errors: `too_large`, `invalid_format` or `unknown_type`, with the id of the
/// request where it was readable.
pub fn decode<F: Frame>(text: &str) -> Result<Envelope<F>, WireError> {
    if text.len() > limits::LARGE_FRAME + limits::FRAME {
        return Err(WireError::new(
            ErrorCode::TooLarge,
            "the frame is too large",
        ));
    }
    let id = serde_json::from_str::<IdOnly>(text)
        .ok()
        .map(|head| head.id);
    let refuse = |code, message: &str| Err(WireError::new(code, message).for_request(id.clone()));
    let Ok(Head { kind }) = serde_json::from_str::<Head>(text) else {
        return refuse(ErrorCode::InvalidFormat, "Invalid message format");
    };
    if !F::TYPES.contains(&kind.as_str()) {
        return refuse(ErrorCode::UnknownType, "Unknown message type");
    }
    if text.len() > F::max_len(&kind) {
        return refuse(ErrorCode::TooLarge, "the frame is too large for its type");
    }
    match serde_json::from_str::<F>(text) {
        Ok(frame) => {
            let id = id.filter(|_| !frame.names_itself());
            Ok(Envelope { id, frame })
        }
        // Serde's own message could quote the frame's content.
        Err(_) => refuse(ErrorCode::InvalidFormat, "Invalid message format"),
    }
}

#[cfg(test)]
mod tests;
