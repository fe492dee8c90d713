//! Frames over a real socket: a room with people in it, nonsense, and the
//! operator.

use crate::world::*;
use serde_json::{Value, json};
use sotto_wire::{
    ClientFrame, ErrorCode, RelayFrame,
    codec::Envelope,
    frame::{PresenceAction, RoomSettings},
    limits,
};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn two_people_meet_in_a_room() {
    let site = Site::start(config()).await;
    let (alice, bob) = (Person::new(1), Person::new(2));
    let mut a = site.connect(&alice).await;
    a.make_room().await;
    let mut b = site.connect(&bob).await;

    b.send(ClientFrame::RoomKnock {
        room: room(),
        id: message(50),
        body: b"let me in"[..].into(),
    })
    .await;
    let knocked = RelayFrame::RoomKnocked {
        room: room(),
        knock: message(50),
        from: bob.user(),
        body: b"let me in"[..].into(),
    };
    assert_eq!(a.frame().await, knocked);

    assert_eq!(a.say(commit(1, 0, &[&bob], b"add bob")).await, 1);
    let seen = |action| RelayFrame::PresenceUpdate {
        room: room(),
        user: bob.user(),
        action,
        count: 2,
    };
    assert_eq!(a.frame().await, seen(PresenceAction::Joined));
    assert_eq!(a.frame().await, seen(PresenceAction::Online));

    let (to, id, expires) = (bob.user(), message(51), now() + 60_000);
    a.send(ClientFrame::DirectSend {
        to,
        id,
        body: b"welcome"[..].into(),
        expires,
    })
    .await;
    assert_eq!(a.frame().await, RelayFrame::DirectAck { id });
    let welcome = RelayFrame::DirectReceive {
        id,
        from: alice.user(),
        body: b"welcome"[..].into(),
    };
    assert_eq!(b.frame().await, welcome);
    b.send(ClientFrame::DirectReceived { id }).await;

    let opened = b.open(0).await;
    assert_eq!(
        (opened.count, opened.epoch, opened.host),
        (2, 1, alice.user())
    );
    assert_eq!(b.message().await.seq, 1);
    for n in 2..12 {
        let (speaker, hearer) = if n % 2 == 0 {
            (&mut a, &mut b)
        } else {
            (&mut b, &mut a)
        };
        assert_eq!(
            speaker.say(ClientFrame::ChatSend(chat(n, 1, &[n]))).await,
            u64::from(n)
        );
        let heard = hearer.message().await;
        assert_eq!((heard.seq, &heard.body[..]), (u64::from(n), &[n][..]));
    }
    site.relay.stop().await;
}

#[tokio::test]
async fn malformed_frames_are_answered_and_the_socket_stays() {
    let site = Site::start(config()).await;
    let mut socket = site.connect(&Person::new(1)).await;
    let long = format!(
        r#"{{"type":"ping","id":"7","x":"{}"}}"#,
        "x".repeat(limits::FRAME)
    );
    let cases = [
        ("", ErrorCode::InvalidFormat, None),
        ("hello", ErrorCode::InvalidFormat, None),
        ("[]", ErrorCode::InvalidFormat, None),
        ("{}", ErrorCode::InvalidFormat, None),
        (
            r#"{"type":7,"id":"7"}"#,
            ErrorCode::InvalidFormat,
            Some("7"),
        ),
        (
            r#"{"type":"room.fly","id":"7"}"#,
            ErrorCode::UnknownType,
            Some("7"),
        ),
        (
            r#"{"type":"call.join","id":"7"}"#,
            ErrorCode::InvalidFormat,
            Some("7"),
        ),
        (
            r#"{"type":"room.open","id":"7"}"#,
            ErrorCode::InvalidFormat,
            Some("7"),
        ),
        (
            r#"{"type":"room.open","id":"7","room":"AQEB","since":0}"#,
            ErrorCode::InvalidFormat,
            Some("7"),
        ),
        (
            r#"{"type":"room.open","id":"7","room":"BwcHBwcHBwcHBwcHBwcHBw","since":-1}"#,
            ErrorCode::InvalidFormat,
            Some("7"),
        ),
        (
            r#"{"type":"room.open","id":"7","room":"BwcHBwcHBwcHBwcHBwcHBw==","since":0}"#,
            ErrorCode::InvalidFormat,
            Some("7"),
        ),
        (
            r#"{"type":"room.open","id":"7","room":"BwcHBwcHBwcHBwcHBwcHBw","since":0}"#,
            ErrorCode::UnknownRoom,
            Some("7"),
        ),
        (&long, ErrorCode::TooLarge, Some("7")),
    ];
    for (text, code, id) in cases {
        socket.text(text).await;
        let error = socket.error().await;
        let heard = error.id.as_ref().map(|id| id.as_str());
        assert_eq!(
            (error.code, heard),
            (code, id),
            "{}",
            &text[..text.len().min(80)]
        );
    }
    socket.raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(socket.error().await.code, ErrorCode::InvalidFormat);
    socket.text(r#"{"type":"ping","id":"8"}"#).await;
    match socket.hear().await {
        Heard::Frame(Envelope {
            id: Some(id),
            frame: RelayFrame::Pong,
        }) => {
            assert_eq!(id.as_str(), "8");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn beyond_the_hard_limit_the_socket_closes() {
    let site = Site::start(config()).await;
    let mut socket = site.connect(&Person::new(1)).await;
    socket
        .text("x".repeat(limits::LARGE_FRAME + limits::FRAME))
        .await;
    assert_eq!(socket.error().await.code, ErrorCode::InvalidFormat);
    // Its writing may fail once the relay has seen enough.
    use futures_util::SinkExt as _;
    let _ = socket
        .stream
        .send(Message::text(
            "x".repeat(limits::LARGE_FRAME + limits::FRAME + 1),
        ))
        .await;
    assert_eq!(socket.closed().await, 1009);
}

#[tokio::test]
async fn a_flood_of_nonsense_closes_the_socket() {
    let site = Site::start(config()).await;
    let mut socket = site.connect(&Person::new(1)).await;
    for _ in 0..50 {
        socket.text("nonsense").await;
        assert_eq!(socket.error().await.code, ErrorCode::InvalidFormat);
    }
    socket.text("nonsense").await;
    assert_eq!(socket.closed().await, 1008);
}

#[tokio::test]
async fn a_stranger_is_refused_over_the_socket_as_well() {
    let site = Site::start(config()).await;
    let mut alice = site.connect(&Person::new(1)).await;
    alice.make_room().await;
    let mut mallory = site.connect(&Person::new(9)).await;
    let cases = [
        (
            ClientFrame::RoomCreate {
                room: room(),
                settings: RoomSettings::default(),
            },
            ErrorCode::RoomExists,
        ),
        (
            ClientFrame::RoomOpen {
                room: room(),
                since: 0,
            },
            ErrorCode::NotAMember,
        ),
        (
            ClientFrame::RoomDelete { room: room() },
            ErrorCode::NotAMember,
        ),
        (
            ClientFrame::ChatSend(chat(1, 0, b"hi")),
            ErrorCode::NotAMember,
        ),
        (
            commit(2, 0, &[&Person::new(9)], b"me"),
            ErrorCode::NotAMember,
        ),
        (
            ClientFrame::ChatSignal {
                room: room(),
                body: Default::default(),
            },
            ErrorCode::NotAMember,
        ),
        (
            ClientFrame::ChatReceived {
                room: room(),
                up_to: 1,
            },
            ErrorCode::NotAMember,
        ),
    ];
    for (frame, code) in cases {
        mallory.send(frame.clone()).await;
        assert_eq!(mallory.error().await.code, code, "{frame:?}");
    }
    assert_eq!(alice.open(0).await.head, 0);
}

#[tokio::test]
async fn a_room_deleted_over_rest_detaches_its_people() {
    let site = Site::start(config()).await;
    let (alice, bob) = (Person::new(1), Person::new(2));
    let (host, guest) = (site.sign_in(&alice).await, site.sign_in(&bob).await);
    let (mut a, mut b) = (site.connect(&alice).await, site.connect(&bob).await);
    a.make_room().await;
    a.say(commit(1, 0, &[&bob], b"add")).await;
    b.open(0).await;
    let delete = async |token: &str, id: &str| {
        let url = site.url(&format!("/v1/rooms/{id}"));
        let response = site
            .http
            .delete(url)
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        response.status().as_u16()
    };
    let id = room().to_string();
    assert_eq!(delete("nonsense", &id).await, 401);
    assert_eq!(delete(&guest.access.0, &id).await, 403);
    assert_eq!(delete(&host.access.0, "nonsense").await, 400);
    assert_eq!(delete(&host.access.0, &id).await, 204);
    loop {
        if b.frame().await == (RelayFrame::RoomDeleted { room: room() }) {
            break;
        }
    }
    assert_eq!(delete(&host.access.0, &id).await, 404);
    assert_eq!(delete("the operator's", &id).await, 404);
}

#[tokio::test]
async fn the_operator_sees_counts_and_sends_notices() {
    let site = Site::start(config()).await;
    let mut alice = site.connect(&Person::new(1)).await;
    alice.make_room().await;
    let stats = async |token: Option<&str>| -> Value {
        let mut request = site.http.get(site.url("/v1/stats"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    };
    let open = stats(None).await;
    assert_eq!(
        (&open["connections"], &open["rooms"], &open["members"]),
        (&json!(1), &json!(1), &json!([1]))
    );
    assert_eq!(open.get("by_room"), None);
    assert!(!open.to_string().contains(&room().to_string()));
    let all = stats(Some("the operator's")).await;
    assert_eq!(all["by_room"], json!([{ "room": room(), "members": 1 }]));
    let health = site.http.get(site.url("/healthz")).send().await.unwrap();
    assert_eq!(
        (
            health.status().as_u16(),
            health.text().await.unwrap().as_str()
        ),
        (200, "ok")
    );

    let notice = json!({ "kind": "maintenance", "body": "back at noon" });
    assert_eq!(site.admin("/v1/admin/notice", notice).await, 204);
    let heard = RelayFrame::Notice {
        kind: "maintenance".into(),
        body: "back at noon".into(),
    };
    assert_eq!(alice.frame().await, heard);
}
