//! Hostile names, texts, links and bytes: no panic, no loss, nothing hidden.

use super::with_mallory;
use crate::simulator::rooms::of_two;
use sotto_client::{
    Input, Request, RequestError, Why,
    invite::Link,
    model::{MessageBody, Profile, TEXT_MAX},
    rogue::{Rogue, Tamper},
};
use sotto_tests::world::{Actor, Dice, World, home};
use sotto_wire::{MessageId, RelayFrame, codec, frame::ChatKind};

/// Override, zero-width and control characters.
const NASTY: &str = "a\u{202e}b\u{200b}c\u{2066}d\u{0007}e\u{feff}f\u{2028}g\u{0000}h";

#[test]
fn attack_19_names_hide_nothing() {
    let (world, alice, bob) = of_two();
    bob.calls_themselves(NASTY);
    alice.renames_room(NASTY);
    world.settle();
    assert_eq!(alice.member_names(), ["Alice", "abcdefgh"]);
    assert_eq!(bob.view().name, "abcdefgh");
    for bad in ["", "   ", "\u{202e}\u{200b}", &"x".repeat(65)] {
        let asked = bob.asks(Request::SetProfile(Profile {
            name: bad.into(),
            ..Profile::default()
        }));
        assert_eq!(asked, Err(RequestError::BadName), "{bad:?}");
    }
    let emoji = format!("{}{NASTY}", "🙂".repeat(50));
    let profile = Profile {
        name: "Bob".into(),
        emoji,
        color: 255,
    };
    assert!(bob.asks(Request::SetProfile(profile)).is_ok());
    world.settle();
    assert!(alice.person(&bob).profile.emoji.chars().count() <= 8);
}

#[test]
fn attack_19_a_modified_client_cannot_give_a_room_a_hostile_name() {
    for name in [
        NASTY.to_owned(),
        String::new(),
        "x".repeat(65),
        "x".repeat(20_000),
    ] {
        let (world, alice, bob, _mallory) = with_mallory();
        let rogue = Rogue {
            changes: vec![Tamper::Name(name)],
            ..Rogue::default()
        };
        // Even from the host's own hand.
        alice.sends_commit(&alice.forges_commit(&rogue));
        world.settle();
        assert_eq!(bob.view().name, "Field notes");
        assert_eq!(bob.rejected(), [Why::NotAllowed]);
    }
}

#[test]
fn attack_19_texts_arrive_without_what_hides_in_them() {
    let (world, alice, bob) = of_two();
    alice.says(&format!(
        "<script>alert(1)</script> {NASTY}\n[x](javascript:alert(1))"
    ));
    world.settle();
    bob.reads("<script>alert(1)</script> abcdefgh\n[x](javascript:alert(1))");
}

#[test]
fn attack_19_a_modified_client_cannot_hide_anything_in_a_text_either() {
    let (world, _alice, bob, mallory) = with_mallory();
    let says = |json: String| {
        let id = MessageId(world.scene().dice.id());
        let json = json.replace("ID", &id.to_string());
        mallory.sends_message(id, mallory.forges_message(&json));
        world.settle();
    };
    says(r#"{"id":"ID","type":"text","text":"x\u202ey\u0000z"}"#.to_owned());
    bob.reads("xyz");
    let long = "w".repeat(TEXT_MAX * 2);
    says(format!(r#"{{"id":"ID","type":"text","text":"{long}"}}"#));
    let texts = bob.texts();
    assert!(
        texts.iter().all(|text| text.len() <= TEXT_MAX),
        "no text is longer than the limit"
    );
    let quote = format!(
        r#"{{"id":"ID","from":"{}","name":"{}","text":"{}"}}"#,
        bob.user(),
        "n".repeat(9_000),
        "q".repeat(9_000),
    );
    says(format!(
        r#"{{"id":"ID","type":"text","text":"quoting","reply_to":{quote}}}"#
    ));
    let quoted = bob
        .timeline()
        .into_iter()
        .rev()
        .find_map(|item| match item.kind {
            sotto_client::model::ItemKind::Message { body, .. } => body.reply_to,
            _ => None,
        });
    let quoted = quoted.expect("it quotes");
    assert!(quoted.text.chars().count() <= 200 && quoted.name.chars().count() <= 64);
}

#[test]
fn attack_19_contents_of_every_shape_are_an_outcome() {
    let (world, _alice, bob, mallory) = with_mallory();
    let deep = "[".repeat(15_000);
    let contents = [
        String::new(),
        "null".into(),
        "[]".into(),
        "{".into(),
        r#"{"id":"ID"}"#.into(),
        r#"{"id":"ID","type":"text"}"#.into(),
        r#"{"id":"ID","type":"text","text":7}"#.into(),
        r#"{"id":"ID","type":"from the future","text":"x"}"#.into(),
        r#"{"id":"short","type":"leave"}"#.into(),
        r#"{"id":"ID","type":"text","text":"x","seen":{"seq":-1,"mark":""}}"#.into(),
        format!(r#"{{"id":"ID","type":"text","text":{deep}"#),
        "\u{fffd}".repeat(5_000),
    ];
    let count = contents.len() as u64;
    for content in contents {
        let id = MessageId(world.scene().dice.id());
        let content = content.replace("ID", &id.to_string());
        mallory.sends_message(id, mallory.forges_message(&content));
        world.settle();
    }
    assert_eq!(bob.texts(), Vec::<String>::new());
    assert_eq!(bob.gaps(), count, "each is shown as missing");
    assert!(bob.rejected().iter().all(|why| *why == Why::UnknownContent));
    assert!(bob.is_member());
}

#[test]
fn attack_19_hostile_frames_are_an_outcome() {
    let (world, alice, bob) = of_two();
    alice.says("still here");
    world.settle();
    let known: Vec<String> = world
        .heard_by(&bob)
        .into_iter()
        .map(|f| codec::encode(&f.into()))
        .collect();
    let mut dice = Dice::new(19);
    for round in 0..400 {
        let Some(text) = dice.pick(&known).cloned() else {
            continue;
        };
        let mut bytes = text.into_bytes();
        for _ in 0..=dice.number(0, 4) {
            let place = dice.number(0, bytes.len() as u64 - 1) as usize;
            match dice.number(0, 2) {
                0 => bytes[place] ^= 1 << dice.number(0, 7),
                1 => bytes.truncate(place.max(2)),
                _ => bytes.insert(place, dice.number(32, 126) as u8),
            }
        }
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let input = match codec::decode::<RelayFrame>(&text) {
            // The relay may end the room; here it shall not.
            Ok(envelope) if matches!(envelope.frame, RelayFrame::RoomDeleted { .. }) => continue,
            Ok(envelope) => Input::Relay {
                relay: home(),
                envelope,
            },
            Err(error) => Input::Garbled {
                relay: home(),
                error,
            },
        };
        world.scene().take("bob", input);
        if round % 50 == 0 {
            bob.restarts();
        }
    }
    bob.restarts();
    world.settle();
    bob.reads("still here");
    assert!(bob.is_member(), "{:?}", bob.standing());
}

#[test]
fn attack_19_hostile_bytes_in_every_body_are_an_outcome() {
    let (world, alice, bob) = of_two();
    let (room, from, device) = (alice.room(), alice.user(), alice.device());
    let mut dice = Dice::new(20);
    let lengths = [0, 1, 3, 4, 15, 16, 17, 31, 32, 33, 48, 64, 500, 60_000];
    for len in lengths {
        let mut body = vec![0; len];
        body.iter_mut()
            .for_each(|byte| *byte = dice.number(0, 255) as u8);
        let bytes = || body.clone().into();
        let id = MessageId(dice.id());
        world.relay_says(
            &bob,
            RelayFrame::ChatSignal {
                room,
                from,
                body: bytes(),
            },
        );
        world.relay_says(
            &bob,
            RelayFrame::RoomKnocked {
                room,
                knock: id,
                from,
                body: bytes(),
            },
        );
        world.relay_says(
            &bob,
            RelayFrame::DirectReceive {
                id,
                from,
                body: bytes(),
            },
        );
        let mut named = room.as_bytes().to_vec();
        named.extend(&body);
        world.relay_says(
            &bob,
            RelayFrame::DirectReceive {
                id,
                from,
                body: named.into(),
            },
        );
        for kind in [ChatKind::Application, ChatKind::Commit, ChatKind::Proposal] {
            let seq = world.head(room) + 1;
            let copy = bob.backup();
            let frame = sotto_wire::frame::ChatReceive {
                room,
                seq,
                id,
                from,
                device,
                kind,
                body: bytes(),
                at: u64::MAX,
            };
            let refused = world.relay_says(&bob, RelayFrame::ChatReceive(frame));
            assert!(!refused.is_empty(), "{kind:?} of {len} bytes");
            bob.restores(&copy);
        }
    }
    world.settle();
    alice.says("unharmed");
    world.settle();
    bob.reads("unharmed");
}

#[test]
fn attack_19_numbers_at_the_end_of_their_range_are_an_outcome() {
    let (world, alice, bob) = of_two();
    let (room, from, device) = (alice.room(), alice.user(), alice.device());
    let copy = bob.backup();
    for n in [
        0,
        1,
        1 << 42,
        1 << 53,
        u64::MAX / 1024,
        1 << 63,
        u64::MAX - 1,
        u64::MAX,
    ] {
        let (id, kind, body) = (MessageId([2; 16]), ChatKind::Application, vec![1].into());
        let message = sotto_wire::frame::ChatReceive {
            room,
            seq: n,
            id,
            from,
            device,
            kind,
            body,
            at: n,
        };
        world.relay_says(&bob, RelayFrame::ChatReceive(message));
        world.relay_says(
            &bob,
            RelayFrame::ChatAck {
                id,
                room,
                seq: n,
                at: n,
            },
        );
        world.relay_says(
            &bob,
            RelayFrame::ChatDelivered {
                room,
                user: from,
                device,
                up_to: n,
            },
        );
        opens(&world, &bob, n);
        bob.asks(Request::MarkRead { room, position: n })
            .expect("it is fine");
        let limits = sotto_wire::limits::Limits::default();
        world.relay_says(
            &bob,
            RelayFrame::AuthOk {
                user: from,
                device,
                server_time: n,
                limits,
            },
        );
        bob.restores(&copy);
        world.settle();
    }
    alice.says("unharmed");
    world.settle();
    bob.reads("unharmed");
}

/// The relay answers `room.open` with numbers of its choice.
fn opens(world: &World, who: &Actor, n: u64) {
    for (head, retained_from) in [(n, 0), (0, n), (n, n)] {
        let (name, host) = (who.name(), who.user());
        world.on_the_way_down(move |to, frame| match frame {
            RelayFrame::RoomOpened(mut opened) if to == name => {
                (opened.head, opened.retained_from) = (head, retained_from);
                (opened.epoch, opened.host) = (n, host);
                vec![RelayFrame::RoomOpened(opened)]
            }
            frame => vec![frame],
        });
        who.restarts();
        world.settle();
    }
    world.honest_again();
}

#[test]
fn attack_19_links_of_every_shape_are_an_outcome() {
    let (world, alice, _) = of_two();
    let carol = world.carol();
    let link = alice.invites();
    let mut dice = Dice::new(21);
    for _ in 0..300 {
        let mut text: Vec<char> = link.chars().collect();
        for _ in 0..=dice.number(0, 3) {
            let place = dice.number(0, text.len() as u64 - 1) as usize;
            text[place] = *dice
                .pick(&['/', '#', '?', '&', '\u{202e}', 'ä', '%', '0'])
                .expect("one");
        }
        let text: String = text.into_iter().collect();
        let _: Result<Link, _> = text.parse();
        let asked = carol.asks(Request::Join { link: text });
        assert!(
            matches!(asked, Ok(_) | Err(RequestError::BadLink(_))),
            "{asked:?}"
        );
    }
    let huge = format!("sotto://join/{}", "a".repeat(1_000_000));
    assert!(matches!(
        carol.asks(Request::Join { link: huge }),
        Err(RequestError::BadLink(_))
    ));
}

#[test]
fn attack_19_quotes_of_every_shape_are_cut_to_size() {
    let (world, alice, bob) = of_two();
    let quote = sotto_client::model::Quote {
        id: MessageId([1; 16]),
        from: bob.user(),
        name: NASTY.repeat(50),
        text: NASTY.repeat(500),
    };
    let (room, id) = (alice.room(), MessageId([2; 16]));
    let body = MessageBody {
        text: "look".into(),
        reply_to: Some(quote),
    };
    assert!(alice.asks(Request::Send { room, id, body }).is_ok());
    world.settle();
    bob.reads("look");
}
