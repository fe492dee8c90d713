//! Every frame that names a room, sent by everybody who may not, and by those
//! who may.

use super::*;

/// One frame of every type that names a room.
fn frames() -> Vec<ClientFrame> {
    let room = room();
    vec![
        ClientFrame::RoomCreate {
            room,
            settings: RoomSettings::default(),
        },
        ClientFrame::RoomOpen { room, since: 0 },
        ClientFrame::RoomDeny {
            room,
            knock: message(50),
        },
        ClientFrame::RoomLeave { room },
        ClientFrame::RoomDelete { room },
        ClientFrame::HostTransfer {
            room,
            to: user("carol"),
        },
        ClientFrame::ChatSend(chat(10, 2)),
        ClientFrame::ChatSend(commit(11, 2, &["mallory"], &[])),
        ClientFrame::ChatSend(commit(12, 2, &[], &["alice"])),
        ClientFrame::ChatSend(ChatSend {
            adds: vec![user("mallory")],
            ..chat(13, 2)
        }),
        ClientFrame::ChatSignal {
            room,
            body: body(1),
        },
        ClientFrame::ChatReceived { room, up_to: 2 },
    ]
}

/// What `name` gets for each of [`frames`]: an error code, or `None`. A frame
/// that is refused must not have changed anything stored.
fn judge(name: &str) -> Vec<Option<ErrorCode>> {
    let judge_one = |frame| {
        let (mut world, alice, _, _) = World::of_three();
        let dave = world.connect("dave");
        world.send(
            dave,
            ClientFrame::RoomKnock {
                room: room(),
                id: message(50),
                body: body(1),
            },
        );
        // Former: alice made the room and handed it over, and erin was removed.
        world.chat(alice, commit(20, 2, &["erin"], &[]));
        world.chat(alice, commit(21, 3, &[], &["erin"]));
        let conn = world.connect(name);
        if !["mallory", "erin"].contains(&name) {
            world.open(conn, 4);
        }
        world.clear();
        let before = world.relay.store.load();
        // The plays above have moved the room by two epochs.
        let frame = match frame {
            ClientFrame::ChatSend(send) => ClientFrame::ChatSend(ChatSend { epoch: 4, ..send }),
            frame => frame,
        };
        world.send(conn, frame);
        let error = world.hears(conn).into_iter().find_map(|frame| match frame {
            RelayFrame::Error(error) => Some(error.code),
            _ => None,
        });
        if error.is_some() {
            assert_eq!(
                world.relay.store.load(),
                before,
                "a refusal changed something"
            );
        }
        error
    };
    frames().into_iter().map(judge_one).collect()
}

use ErrorCode::{InvalidFormat, NotAMember, NotFound, NotHost, RoomExists};

#[test]
fn a_stranger_may_do_nothing_in_a_room() {
    let mut expect = vec![Some(NotAMember); frames().len()];
    expect[0] = Some(RoomExists);
    assert_eq!(judge("mallory"), expect);
}

#[test]
fn a_removed_member_may_only_read_the_rest_and_go() {
    let mut expect = vec![Some(NotAMember); frames().len()];
    expect[0] = Some(RoomExists);
    (expect[1], expect[3], expect[11]) = (None, None, None);
    assert_eq!(judge("erin"), expect);
}

#[test]
fn a_member_may_not_do_what_is_the_hosts() {
    let none = None;
    assert_eq!(
        judge("bob"),
        [
            Some(RoomExists),
            none,
            none,
            none,
            Some(NotHost),
            Some(NotHost),
            none,
            none,
            Some(NotHost),
            Some(InvalidFormat),
            none,
            none,
        ]
    );
}

#[test]
fn the_host_may_do_all_but_nonsense() {
    let mut expect = vec![None; frames().len()];
    expect[9] = Some(InvalidFormat);
    assert_eq!(judge("alice"), expect);
}

#[test]
fn a_former_host_is_a_member_like_others() {
    let (mut world, alice, bob, _) = World::of_three();
    world.send(
        alice,
        ClientFrame::HostTransfer {
            room: room(),
            to: user("bob"),
        },
    );
    let updated = RelayFrame::HostUpdated {
        room: room(),
        host: user("bob"),
    };
    assert_eq!(world.hears(alice), std::slice::from_ref(&updated));
    assert_eq!(world.hears(bob), [updated]);
    for frame in [
        ClientFrame::RoomDelete { room: room() },
        ClientFrame::HostTransfer {
            room: room(),
            to: user("alice"),
        },
        ClientFrame::ChatSend(commit(10, 2, &[], &["bob"])),
    ] {
        world.send(alice, frame);
        assert_eq!(world.error(alice), NotHost);
    }
    world.chat(bob, commit(11, 2, &[], &["alice"]));
    assert!(matches!(world.hears(bob)[0], RelayFrame::ChatAck { .. }));
}

#[test]
fn a_room_is_handed_only_to_a_member() {
    let (mut world, alice, _, _) = World::of_three();
    world.send(
        alice,
        ClientFrame::HostTransfer {
            room: room(),
            to: user("mallory"),
        },
    );
    assert_eq!(world.error(alice), NotAMember);
}

#[test]
fn a_room_is_made_once_and_its_maker_may_say_so_twice() {
    let (mut world, alice) = World::with_room();
    world.create(alice);
    assert_eq!(
        world.hears(alice),
        [RelayFrame::RoomCreated { room: room() }]
    );
    let mallory = world.connect("mallory");
    world.clear();
    world.create(mallory);
    assert_eq!(world.error(mallory), RoomExists);
}

#[test]
fn only_a_member_denies_a_knock() {
    let (mut world, _) = World::with_room();
    let (dave, mallory) = (world.connect("dave"), world.connect("mallory"));
    world.send(
        dave,
        ClientFrame::RoomKnock {
            room: room(),
            id: message(50),
            body: body(1),
        },
    );
    world.clear();
    world.send(
        mallory,
        ClientFrame::RoomDeny {
            room: room(),
            knock: message(50),
        },
    );
    assert_eq!(world.error(mallory), NotAMember);
    world.send(
        mallory,
        ClientFrame::KeysTake {
            user: user("nobody"),
        },
    );
    assert_eq!(world.error(mallory), NotFound);
}

#[test]
fn nobody_speaks_with_the_device_of_another() {
    let (mut world, alice, _, _) = World::of_three();
    world.chat(alice, chat(10, 2));
    // Mallory is in the room and calls her device as alice's is called.
    world.chat(alice, commit(11, 2, &["mallory"], &[]));
    let mallory = world.connect_device("mallory", device(alice));
    world.clear();
    world.chat(mallory, chat(10, 3));
    match world.hears(mallory).as_slice() {
        [RelayFrame::ChatAck { seq: 5, .. }] => {}
        other => panic!("alice's place was given away: {other:?}"),
    }
}
