//! The text of every frame: fixed by a snapshot, read back as it was, and never
//! a panic when damaged.

use super::*;
use crate::{Bytes, CallId, DeviceId, MessageId, RoomId, UserId, WireError, frame::*};

fn user(n: u8) -> UserId {
    UserId([n; 32])
}
fn room() -> RoomId {
    RoomId([1; 16])
}
fn message() -> MessageId {
    MessageId([2; 16])
}
fn device() -> DeviceId {
    DeviceId([3; 16])
}
fn body() -> Bytes {
    Bytes(vec![0xfb, 0xff, 0x00])
}

fn call() -> CallId {
    CallId([6; 16])
}

fn participant() -> CallParticipant {
    CallParticipant {
        user: user(5),
        device: device(),
    }
}

fn client_frames() -> Vec<ClientFrame> {
    vec![
        ClientFrame::Auth {
            token: Token("aaa.bbb.ccc".into()),
        },
        ClientFrame::Ping,
        ClientFrame::RoomCreate {
            room: room(),
            settings: RoomSettings {
                retention_days: Some(7),
            },
        },
        ClientFrame::RoomOpen {
            room: room(),
            since: 41,
        },
        ClientFrame::RoomKnock {
            room: room(),
            id: message(),
            body: body(),
        },
        ClientFrame::RoomDeny {
            room: room(),
            knock: message(),
        },
        ClientFrame::RoomLeave { room: room() },
        ClientFrame::RoomDelete { room: room() },
        ClientFrame::HostTransfer {
            room: room(),
            to: user(5),
        },
        ClientFrame::ChatSend(ChatSend {
            room: room(),
            id: message(),
            kind: ChatKind::Commit,
            epoch: 4,
            adds: vec![user(5)],
            removes: vec![],
            body: body(),
        }),
        ClientFrame::ChatSignal {
            room: room(),
            body: body(),
        },
        ClientFrame::ChatReceived {
            room: room(),
            up_to: 42,
        },
        ClientFrame::DirectSend {
            to: user(5),
            id: message(),
            body: body(),
            expires: 1_700_000_000_000,
        },
        ClientFrame::DirectReceived { id: message() },
        ClientFrame::KeysPublish {
            packages: vec![body()],
            last_resort: Some(body()),
        },
        ClientFrame::KeysTake { user: user(5) },
        ClientFrame::PresenceSet {
            state: Presence::Away,
        },
        ClientFrame::CallInitiate {
            room: room(),
            call: call(),
            kind: CallKind::Video,
            body: body(),
        },
        ClientFrame::CallJoin {
            room: room(),
            call: call(),
        },
        ClientFrame::CallLeave {
            room: room(),
            call: call(),
        },
        ClientFrame::CallSignal {
            room: room(),
            call: call(),
            to: participant(),
            body: body(),
        },
        ClientFrame::TurnTake,
    ]
}

fn relay_frames() -> Vec<RelayFrame> {
    vec![
        RelayFrame::AuthOk {
            user: user(4),
            device: device(),
            server_time: 1_700_000_000_000,
            limits: Default::default(),
        },
        RelayFrame::AuthError {
            code: ErrorCode::BadCredential,
            message: "the token has expired".into(),
        },
        RelayFrame::Pong,
        RelayFrame::RoomCreated { room: room() },
        RelayFrame::RoomOpened(RoomOpened {
            room: room(),
            host: user(4),
            members: vec![RoomMember {
                user: user(4),
                state: Presence::Online,
                up_to: 42,
            }],
            count: 1,
            epoch: 4,
            head: 42,
            retained_from: 7,
        }),
        RelayFrame::RoomKnocked {
            room: room(),
            knock: message(),
            from: user(5),
            body: body(),
        },
        RelayFrame::RoomDenied {
            room: room(),
            knock: message(),
        },
        RelayFrame::RoomLeft { room: room() },
        RelayFrame::RoomDeleted { room: room() },
        RelayFrame::HostUpdated {
            room: room(),
            host: user(5),
        },
        RelayFrame::ChatAck {
            id: message(),
            room: room(),
            seq: 42,
            at: 1_700_000_000_000,
        },
        RelayFrame::ChatReceive(ChatReceive {
            room: room(),
            seq: 42,
            id: message(),
            from: user(4),
            device: device(),
            kind: ChatKind::Application,
            body: body(),
            at: 1_700_000_000_000,
        }),
        RelayFrame::ChatSignal {
            room: room(),
            from: user(4),
            body: body(),
        },
        RelayFrame::ChatDelivered {
            room: room(),
            user: user(4),
            device: device(),
            up_to: 42,
        },
        RelayFrame::DirectAck { id: message() },
        RelayFrame::DirectReceive {
            id: message(),
            from: user(4),
            body: body(),
        },
        RelayFrame::KeysPublished { count: 20 },
        RelayFrame::KeysTaken {
            user: user(5),
            package: body(),
        },
        RelayFrame::KeysLow { count: 3 },
        RelayFrame::PresenceUpdate {
            room: room(),
            user: user(5),
            action: PresenceAction::Joined,
            count: 2,
        },
        RelayFrame::CallInitiate {
            room: room(),
            call: call(),
            kind: CallKind::Video,
            from: user(4),
            device: device(),
            body: body(),
        },
        RelayFrame::CallUpdated {
            room: room(),
            call: call(),
            participants: vec![participant()],
        },
        RelayFrame::CallSignal {
            room: room(),
            call: call(),
            from: user(4),
            device: device(),
            body: body(),
        },
        RelayFrame::TurnTaken {
            port: 3478,
            username: "1700007200:AQEBAQEBAQEB".into(),
            password: Token("aaa".into()),
            expires: 1_700_007_200_000,
        },
        RelayFrame::Notice {
            kind: "maintenance".into(),
            body: "back at noon".into(),
        },
        RelayFrame::Error(WireError::stale_epoch(5).for_request(Some(message().into()))),
    ]
}

fn lines<F: Frame>(frames: Vec<F>) -> String {
    frames
        .into_iter()
        .map(|f| encode(&f.into()) + "\n")
        .collect()
}

#[test]
fn the_shape_of_every_frame_is_fixed() {
    insta::assert_snapshot!("client_frames", lines(client_frames()));
    insta::assert_snapshot!("relay_frames", lines(relay_frames()));
}

/// docs/PROTOCOL.md shows every frame exactly as the snapshots do.
#[test]
fn the_protocol_page_shows_every_frame_as_it_is() {
    let page = include_str!("../../../../docs/PROTOCOL.md");
    let missing: Vec<String> = lines(client_frames())
        .lines()
        .chain(lines(relay_frames()).lines())
        .filter(|line| !page.contains(*line))
        .map(str::to_owned)
        .collect();
    assert!(
        missing.is_empty(),
        "not in docs/PROTOCOL.md:\n{}",
        missing.join("\n")
    );
}

#[test]
fn every_frame_survives_the_round_trip_and_is_listed() {
    fn check<F: Frame + PartialEq + std::fmt::Debug>(frames: Vec<F>) {
        assert_eq!(frames.len(), F::TYPES.len());
        for (frame, kind) in frames.into_iter().zip(F::TYPES) {
            let text = encode(&frame.into());
            assert!(text.contains(&format!("\"type\":\"{kind}\"")), "{text}");
            assert_eq!(encode(&decode::<F>(&text).unwrap()), text);
        }
    }
    check(client_frames());
    check(relay_frames());
}

#[test]
fn a_request_id_is_repeated_wherever_it_was_readable() {
    let check = |text: &str, code, id: Option<&str>| {
        let error = decode::<ClientFrame>(text).unwrap_err();
        assert_eq!(
            (error.code, error.id.as_ref().map(RequestId::as_str)),
            (code, id),
            "{text}"
        );
    };
    check("", ErrorCode::InvalidFormat, None);
    check("[]", ErrorCode::InvalidFormat, None);
    check("{}", ErrorCode::InvalidFormat, None);
    check(r#"{"id":"7"}"#, ErrorCode::InvalidFormat, Some("7"));
    check(
        r#"{"type":7,"id":"7"}"#,
        ErrorCode::InvalidFormat,
        Some("7"),
    );
    check(
        r#"{"type":"room.fly","id":"7"}"#,
        ErrorCode::UnknownType,
        Some("7"),
    );
    check(
        r#"{"type":"room.open","id":"7"}"#,
        ErrorCode::InvalidFormat,
        Some("7"),
    );
    check(
        r#"{"type":"room.open","id":7,"room":"x","since":0}"#,
        ErrorCode::InvalidFormat,
        None,
    );
    check(
        r#"{"type":"room.leave","room":"AQEBAQEBAQEBAQEBAQEBAQ=="}"#,
        ErrorCode::InvalidFormat,
        None,
    );
    let long = format!(
        r#"{{"type":"ping","id":"7","x":"{}"}}"#,
        "x".repeat(limits::FRAME)
    );
    check(&long, ErrorCode::TooLarge, Some("7"));
}

#[test]
fn an_unknown_field_is_ignored() {
    let read = decode::<ClientFrame>(r#"{"type":"ping","id":"7","new":{"deep":[1]}}"#).unwrap();
    assert_eq!(
        read,
        Envelope {
            id: Some(RequestId::new("7").unwrap()),
            frame: ClientFrame::Ping
        }
    );
}

#[test]
fn nesting_does_not_exhaust_the_stack() {
    let deep = format!(
        r#"{{"type":"ping","x":{}{}}}"#,
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    assert_eq!(
        decode::<ClientFrame>(&deep).unwrap_err().code,
        ErrorCode::InvalidFormat
    );
}

#[test]
fn a_token_is_never_printed() {
    let printed = format!("{:?}", client_frames()[0]);
    assert!(!printed.contains("bbb"), "{printed}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_decoder_panic(text in ".{0,400}") {
        let _ = decode::<ClientFrame>(&text);
        let _ = decode::<RelayFrame>(&text);
    }

    #[test]
    fn no_damage_to_a_frame_makes_the_decoder_panic(pick in 0usize..17, at in 0usize..200, byte in 0u8..128) {
        let mut text = encode(&client_frames().swap_remove(pick).into()).into_bytes();
        let at = at % text.len();
        text[at] = byte;
        let _ = decode::<ClientFrame>(&String::from_utf8_lossy(&text));
    }
}
