//! Attack 3: authenticated, but not authorized. Every frame of a relay, about
//! every room and in everybody's name: only the listed cells change anything.

use super::tools::{garbage, picture, some_id, whys};
use crate::simulator::rooms::of_three;
use sotto_client::{Why, model::Standing};
use sotto_tests::world::{Actor, World, elsewhere, home};
use sotto_wire::{
    Bytes, CallId, DeviceId, ErrorCode, MessageId, RelayAddress, RelayFrame, RoomId, Seq, UserId,
    WireError,
    frame::{
        CallKind, CallParticipant, ChatKind, ChatReceive, Presence, PresenceAction, RoomMember,
        RoomOpened, Token,
    },
    limits::Limits,
};

/// What may come of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    /// Nothing changes; nobody is accused.
    Silence,
    /// Nothing changes.
    Refused(Why),
    /// A place in the order is shown as missing.
    Gap(Why),
    /// A place in the order is taken, and nothing is shown.
    Place(Why),
    /// A gap, and the room is out of step: no more is sent into it.
    Lost(Why),
    /// The relay says that this client is not in: out of step until it takes
    /// that back.
    ShutOut,
    /// Shown as the relay's doing; history stays.
    Deleted,
}

/// In whose name, about which room, at which place.
#[derive(Clone)]
struct Lie {
    room: RoomId,
    from: UserId,
    device: DeviceId,
    seq: Seq,
    body: Bytes,
    id: MessageId,
}

/// The name of a frame's type. A new type has to be named here, and then
/// belongs into [`frames`].
fn name(frame: &RelayFrame) -> &'static str {
    match frame {
        RelayFrame::AuthOk { .. } => "auth.ok",
        RelayFrame::AuthError { .. } => "auth.error",
        RelayFrame::Pong => "pong",
        RelayFrame::RoomCreated { .. } => "room.created",
        RelayFrame::RoomOpened(_) => "room.opened",
        RelayFrame::RoomKnocked { .. } => "room.knocked",
        RelayFrame::RoomDenied { .. } => "room.denied",
        RelayFrame::RoomLeft { .. } => "room.left",
        RelayFrame::RoomDeleted { .. } => "room.deleted",
        RelayFrame::HostUpdated { .. } => "host.updated",
        RelayFrame::ChatAck { .. } => "chat.ack",
        RelayFrame::ChatReceive(m) => match m.kind {
            ChatKind::Application => "chat.receive message",
            ChatKind::Commit => "chat.receive commit",
            ChatKind::Proposal => "chat.receive proposal",
        },
        RelayFrame::ChatSignal { .. } => "chat.signal",
        RelayFrame::ChatDelivered { .. } => "chat.delivered",
        RelayFrame::DirectAck { .. } => "direct.ack",
        RelayFrame::DirectReceive { .. } => "direct.receive",
        RelayFrame::KeysPublished { .. } => "keys.published",
        RelayFrame::KeysTaken { .. } => "keys.taken",
        RelayFrame::KeysLow { .. } => "keys.low",
        RelayFrame::PresenceUpdate { .. } => "presence.update",
        RelayFrame::CallInitiate { .. } => "call.initiate",
        RelayFrame::CallUpdated { .. } => "call.updated",
        RelayFrame::CallSignal { .. } => "call.signal",
        RelayFrame::TurnTaken { .. } => "turn.taken",
        RelayFrame::Notice { .. } => "notice",
        RelayFrame::Error(_) => "error",
    }
}

fn frames(world: &World, lie: &Lie) -> Vec<RelayFrame> {
    let Lie {
        room,
        from,
        device,
        seq,
        body,
        id,
    } = lie.clone();
    let (user, host, at) = (from, from, world.scene().wall());
    let said = |kind| {
        let body = body.clone();
        RelayFrame::ChatReceive(ChatReceive {
            room,
            seq,
            id,
            from,
            device,
            kind,
            body,
            at,
        })
    };
    let refusal = |code| {
        let error = WireError::new(code, "no");
        RelayFrame::Error(error.for_request(Some(MessageId(room.0).into())))
    };
    let member = RoomMember {
        user,
        state: Presence::Online,
        up_to: seq,
    };
    let opened = RoomOpened {
        room,
        host,
        members: vec![member],
        count: 1,
        epoch: 99,
        head: 99,
        retained_from: 50,
    };
    vec![
        RelayFrame::AuthOk {
            user,
            device,
            server_time: at,
            limits: Limits::default(),
        },
        RelayFrame::AuthError {
            code: ErrorCode::BadCredential,
            message: "no".into(),
        },
        RelayFrame::Pong,
        RelayFrame::RoomCreated { room },
        RelayFrame::RoomOpened(opened),
        RelayFrame::RoomKnocked {
            room,
            knock: id,
            from,
            body: body.clone(),
        },
        RelayFrame::RoomDenied { room, knock: id },
        RelayFrame::RoomLeft { room },
        RelayFrame::RoomDeleted { room },
        RelayFrame::HostUpdated { room, host },
        RelayFrame::ChatAck { id, room, seq, at },
        said(ChatKind::Application),
        said(ChatKind::Commit),
        said(ChatKind::Proposal),
        RelayFrame::ChatSignal {
            room,
            from,
            body: body.clone(),
        },
        RelayFrame::ChatDelivered {
            room,
            user,
            device,
            up_to: seq,
        },
        RelayFrame::DirectAck { id },
        RelayFrame::DirectReceive {
            id,
            from,
            body: body.clone(),
        },
        RelayFrame::KeysPublished { count: 1 },
        RelayFrame::KeysTaken {
            user,
            package: body.clone(),
        },
        RelayFrame::KeysLow { count: 0 },
        RelayFrame::PresenceUpdate {
            room,
            user,
            action: PresenceAction::Joined,
            count: 9,
        },
        RelayFrame::PresenceUpdate {
            room,
            user,
            action: PresenceAction::Left,
            count: 0,
        },
        RelayFrame::CallInitiate {
            room,
            call: CallId(id.0),
            kind: CallKind::Video,
            from,
            device,
            body: body.clone(),
        },
        RelayFrame::CallUpdated {
            room,
            call: CallId(id.0),
            participants: vec![CallParticipant { user, device }],
        },
        RelayFrame::CallSignal {
            room,
            call: CallId(id.0),
            from,
            device,
            body: body.clone(),
        },
        RelayFrame::TurnTaken {
            port: 22,
            username: "\r\n".repeat(1_000),
            password: Token(String::new()),
            expires: 1,
        },
        RelayFrame::Notice {
            kind: "notice".into(),
            body: "from your operator".into(),
        },
        refusal(ErrorCode::NotAMember),
        refusal(ErrorCode::Forbidden),
    ]
}

/// Says one frame, and holds what came of it against what may.
fn check(world: &World, to: &Actor, relay: &RelayAddress, frame: &RelayFrame, expect: Cell) {
    let what = format!("{} by {relay}: {frame:?}", name(frame));
    let (copy, head) = (to.backup(), world.head(to.room()));
    let (before, texts, gaps) = (picture(world, to), to.texts(), to.gaps());
    let (people, lines, host) = (to.member_names(), to.lines(), to.view().host);
    let rejected = whys(&world.relay_at_says(relay.clone(), to, frame.clone()));
    match expect {
        Cell::Silence => assert_eq!(rejected, [], "{what}"),
        Cell::Refused(why) | Cell::Gap(why) | Cell::Place(why) | Cell::Lost(why) => {
            assert_eq!(rejected, [why], "{what}");
        }
        Cell::ShutOut | Cell::Deleted => assert_eq!(rejected, [], "{what}"),
    }
    assert_eq!(to.texts(), texts, "{what}");
    assert_eq!(to.member_names(), people, "{what}");
    let gap = u64::from(matches!(expect, Cell::Gap(_) | Cell::Lost(_)));
    assert_eq!(to.gaps(), gaps + gap, "{what}");
    let standing = match expect {
        Cell::Lost(_) | Cell::ShutOut => Standing::Lost,
        Cell::Deleted => Standing::Deleted { by: None },
        _ => Standing::Member,
    };
    assert_eq!(to.standing(), standing, "{what}");
    if expect != Cell::Deleted {
        assert_eq!((to.lines(), to.view().host), (lines, host), "{what}");
    }
    if matches!(expect, Cell::Silence | Cell::Refused(_)) {
        world.settle();
        assert_eq!(picture(world, to), before, "{what}");
    } else {
        to.restores(&copy);
        world.settle();
        // Who hears of messages of her own that she does not know takes herself
        // for an older copy and renews her keys. If that was still on its way,
        // the copy is not the newest any more, and out of step by rights.
        if world.head(to.room()) == head {
            assert_eq!(picture(world, to), before, "{what}: as it was");
        }
    }
}

/// Alice, who is host again after Carol was, Bob, and Mallory, who was removed.
fn cast() -> (World, Actor, Vec<(&'static str, UserId, DeviceId)>) {
    let (world, alice, bob, carol) = of_three();
    let (mallory, stranger) = (world.mallory(), world.person("stranger"));
    mallory.joins(&alice.invites());
    world.settle();
    alice.makes_host(&carol);
    world.settle();
    carol.makes_host(&alice);
    alice.says("between us");
    world.settle();
    alice.removes(&mallory);
    world.settle();
    assert_eq!(mallory.standing(), Standing::Removed { by: alice.user() });
    let names = [
        ("a stranger", stranger),
        ("a member", bob),
        ("a former host", carol),
        ("a former member", mallory),
    ];
    let names = names.map(|(name, who)| (name, who.user(), who.device()));
    (world, alice, names.to_vec())
}

fn lie(world: &World, room: RoomId, from: UserId, device: DeviceId, len: usize) -> Lie {
    let seq = world.head(room) + 1;
    Lie {
        room,
        from,
        device,
        seq,
        body: garbage(world, len),
        id: some_id(world),
    }
}

#[test]
fn attack_03_in_whoevers_name_only_listed_cells_change_anything() {
    let (world, alice, names) = cast();
    for (_, user, device) in names {
        for len in [0, 5, 300] {
            let lie = lie(&world, alice.room(), user, device, len);
            for frame in frames(&world, &lie) {
                let expect = match name(&frame) {
                    "room.deleted" => Cell::Deleted,
                    "chat.receive message" | "chat.receive commit" => Cell::Gap(Why::Forged),
                    "chat.receive proposal" => Cell::Place(Why::NotAllowed),
                    "chat.ack" => Cell::Refused(Why::Unasked),
                    "chat.signal" | "call.initiate" => Cell::Refused(Why::BadSignal),
                    "call.signal" => Cell::Refused(Why::CallUnknown),
                    "direct.receive" => Cell::Refused(Why::UnwantedWelcome),
                    // What could be a knock with an invite that is on its way
                    // is kept for a while.
                    "room.knocked" if len == 300 => Cell::Silence,
                    "room.knocked" => Cell::Refused(Why::BadKnock),
                    "error" if is_not_a_member(&frame) => Cell::ShutOut,
                    "error" => continue, // it waits, and asks again: below
                    _ => Cell::Silence,
                };
                check(&world, &alice, &home(), &frame, expect);
            }
        }
    }
}

#[test]
fn attack_03_in_the_own_name_only_listed_cells_change_anything() {
    let (world, alice, _) = cast();
    let about = |world: &World, alice: &Actor| {
        let lie = lie(world, alice.room(), alice.user(), alice.device(), 300);
        frames(world, &lie)
    };
    for number in 0..about(&world, &alice).len() {
        // What she does about it may stay: each finds the room as it was.
        let (world, alice, _) = cast();
        let frame = about(&world, &alice).swap_remove(number);
        let expect = match name(&frame) {
            "room.deleted" => Cell::Deleted,
            "chat.receive message" | "chat.receive proposal" => Cell::Gap(Why::Unasked),
            // What it made of the group is not known to this copy of the store.
            "chat.receive commit" => Cell::Lost(Why::Unasked),
            "chat.ack" => Cell::Refused(Why::Unasked),
            "chat.signal" | "call.initiate" => Cell::Refused(Why::BadSignal),
            "call.signal" => Cell::Refused(Why::CallUnknown),
            "direct.receive" => Cell::Refused(Why::UnwantedWelcome),
            "error" if is_not_a_member(&frame) => Cell::ShutOut,
            "error" => continue,
            _ => Cell::Silence,
        };
        check(&world, &alice, &home(), &frame, expect);
    }
}

#[test]
fn attack_03_a_relay_says_nothing_about_rooms_of_another() {
    let (world, alice, names) = cast();
    let (_, user, device) = names[1];
    alice.creates_at(
        elsewhere(),
        "Elsewhere",
        sotto_client::model::Admission::AtOnce,
    );
    world.settle();
    for (relay, room) in [
        (elsewhere(), home_room(&world, &alice)),
        (home(), alice.room()),
    ] {
        alice.looks_at(room);
        let lie = Lie {
            seq: 100,
            ..lie(&world, room, user, device, 300)
        };
        for frame in frames(&world, &lie) {
            let expect = match name(&frame) {
                "direct.receive" => Cell::Refused(Why::UnwantedWelcome),
                "auth.ok" | "auth.error" | "pong" | "notice" | "direct.ack" | "error"
                | "keys.published" | "keys.taken" | "keys.low" | "turn.taken" => Cell::Silence,
                _ => Cell::Refused(Why::UnknownRoom),
            };
            check(&world, &alice, &relay, &frame, expect);
        }
    }
}

#[test]
fn attack_03_rooms_that_are_not_there_stay_away() {
    let (world, alice, names) = cast();
    for (_, user, device) in names {
        let lie = Lie {
            room: RoomId([9; 16]),
            ..lie(&world, alice.room(), user, device, 300)
        };
        for frame in frames(&world, &lie) {
            let expect = match name(&frame) {
                "direct.receive" => Cell::Refused(Why::UnwantedWelcome),
                "auth.ok" | "auth.error" | "pong" | "notice" | "direct.ack" | "error"
                | "keys.published" | "keys.taken" | "keys.low" | "turn.taken" => Cell::Silence,
                _ => Cell::Refused(Why::UnknownRoom),
            };
            check(&world, &alice, &home(), &frame, expect);
        }
    }
}

#[test]
fn attack_03_whoever_was_removed_can_be_told_nothing() {
    let (world, alice, names) = cast();
    let (mallory, (_, user, device)) = (world.mallory(), names[1]);
    let texts = mallory.texts();
    let standing = mallory.standing();
    let lie = lie(&world, alice.room(), user, device, 300);
    // That she is not in is no news to her.
    for frame in frames(&world, &lie)
        .into_iter()
        .filter(|frame| name(frame) != "error")
    {
        let what = format!("{frame:?}");
        let before = picture(&world, &mallory);
        world.relay_says(&mallory, frame);
        assert_eq!(picture(&world, &mallory), before, "{what}");
        assert_eq!(
            (mallory.texts(), mallory.standing()),
            (texts.clone(), standing.clone())
        );
    }
}

#[test]
fn attack_03_a_refusal_that_may_pass_is_waited_for() {
    let (world, alice, names) = cast();
    let (_, user, device) = names[0];
    let lie = lie(&world, alice.room(), user, device, 0);
    let before = picture(&world, &alice);
    for frame in frames(&world, &lie) {
        if name(&frame) == "error" {
            world.relay_says(&alice, frame);
            alice.restarts();
            world.settle();
            assert_eq!(picture(&world, &alice), before);
        }
    }
}

fn home_room(world: &World, who: &Actor) -> RoomId {
    let mut scene = world.scene();
    let client = scene
        .machine(who.name())
        .client
        .as_ref()
        .expect("the process runs");
    let rooms = client.rooms();
    rooms
        .iter()
        .find(|room| room.relay == home())
        .expect("there is one")
        .id
}

fn is_not_a_member(frame: &RelayFrame) -> bool {
    matches!(frame, RelayFrame::Error(error) if error.code == ErrorCode::NotAMember)
}
