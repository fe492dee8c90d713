//! What ends by itself: retention, empty rooms, unanswered things; and a long
//! random life.

use super::*;

#[test]
fn what_everybody_has_is_dropped_after_a_moment() {
    let (mut world, alice, bob, carol) = World::of_three();
    world.chat(alice, chat(10, 2));
    for conn in [alice, bob] {
        world.received(conn, 3);
    }
    world.pass(2 * MINUTE);
    world.clear();
    world.open(alice, 0);
    // Carol joined with 2 and has not said that she has it.
    assert_eq!(seqs(&world.opened(alice).1), [2, 3]);
    world.received(carol, 3);
    world.pass(1);
    world.clear();
    world.open(alice, 0);
    let (opened, messages) = world.opened(alice);
    assert_eq!(
        (opened.retained_from, opened.head, messages.len()),
        (4, 3, 0)
    );
}

#[test]
fn the_backlog_ends_with_the_shorter_of_two_retentions() {
    for (wish, expect) in [(None, 30), (Some(7), 7), (Some(365), 30), (Some(0), 1)] {
        let mut world = World::new();
        let alice = world.connect("alice");
        let settings = RoomSettings {
            retention_days: wish,
        };
        world.send(
            alice,
            ClientFrame::RoomCreate {
                room: room(),
                settings,
            },
        );
        world.chat(alice, chat(1, 0));
        world.pass(expect * DAY - 1);
        world.clear();
        world.open(alice, 0);
        assert_eq!(seqs(&world.opened(alice).1), [1]);
        world.pass(1);
        world.open(alice, 0);
        assert_eq!(world.opened(alice).0.retained_from, 2);
        world.chat(alice, chat(2, 0));
        assert!(matches!(
            world.hears(alice)[0],
            RelayFrame::ChatAck { seq: 2, .. }
        ));
    }
}

#[test]
fn an_empty_room_is_deleted_after_a_day_and_not_before() {
    let (mut world, alice) = World::with_room();
    world.send(alice, ClientFrame::RoomLeave { room: room() });
    world.pass(DAY - 1);
    world.clear();
    world.open(alice, 0);
    assert_eq!(world.error(alice), ErrorCode::NotAMember);
    world.restart();
    let alice = world.connect("alice");
    world.clear();
    world.pass(1);
    world.open(alice, 0);
    assert_eq!(world.error(alice), ErrorCode::UnknownRoom);
}

#[test]
fn unanswered_things_expire() {
    let (mut world, alice) = World::with_room();
    let bob = world.connect("bob");
    world.send(
        bob,
        ClientFrame::RoomKnock {
            room: room(),
            id: message(1),
            body: body(1),
        },
    );
    let (to, expires) = (user("bob"), START + 90 * DAY);
    world.send(
        alice,
        ClientFrame::DirectSend {
            to,
            id: message(2),
            body: body(2),
            expires,
        },
    );
    world.pass(7 * DAY);
    world.clear();
    world.open(alice, 0);
    assert_eq!(world.hears(alice).len(), 1, "the knock has expired");
    world.pass(23 * DAY);
    let bob = world.connect("bob");
    let mail = world
        .hears(bob)
        .into_iter()
        .any(|f| matches!(f, RelayFrame::DirectReceive { .. }));
    assert!(!mail, "thirty days at most, whatever was asked for");
}

#[test]
fn a_removed_members_row_ends_with_the_retention() {
    let (mut world, alice, bob, _) = World::of_three();
    world.chat(alice, commit(10, 2, &[], &["bob"]));
    world.pass(30 * DAY);
    world.clear();
    world.open(bob, 0);
    assert_eq!(world.error(bob), ErrorCode::NotAMember);
}

#[test]
fn a_quiet_tick_changes_nothing() {
    let (mut world, alice, _, _) = World::of_three();
    world.chat(alice, chat(10, 2));
    let plan = world.relay.hub.plan(world.now, Event::Tick);
    assert!(plan.changes.is_empty() && plan.actions.is_empty());
}

/// No order of hostile and honest frames makes the hub panic or the store
/// disagree with it. The seed is the list of steps itself.
#[test]
fn a_thousand_random_steps_keep_hub_and_store_together() {
    let mut seed = 0x5eed_u64;
    let mut roll = move |n: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    let names = ["alice", "bob", "carol", "mallory"];
    let mut world = World::new();
    let mut conns: BTreeSet<ConnId> = names.iter().map(|name| world.connect(name)).collect();
    for step in 0..1_000 {
        let all: Vec<_> = conns.iter().copied().collect();
        let conn = all[roll(all.len() as u64) as usize];
        let name = names[roll(4) as usize];
        let epoch = roll(12);
        match roll(16) {
            0 => world.create(conn),
            1 => world.open(conn, roll(20)),
            2..=4 => world.chat(conn, chat(roll(200), epoch)),
            5 => world.chat(conn, commit(roll(200), epoch, &[name], &[])),
            6 => world.chat(conn, commit(roll(200), epoch, &[], &[name])),
            7 => world.received(conn, roll(30)),
            8 => world.send(conn, ClientFrame::RoomLeave { room: room() }),
            9 => world.send(
                conn,
                ClientFrame::HostTransfer {
                    room: room(),
                    to: user(name),
                },
            ),
            10 => {
                let knock = message(roll(9));
                world.send(
                    conn,
                    ClientFrame::RoomKnock {
                        room: room(),
                        id: knock,
                        body: body(1),
                    },
                );
            }
            11 => world.send(
                conn,
                ClientFrame::RoomDeny {
                    room: room(),
                    knock: message(roll(9)),
                },
            ),
            12 => {
                let (to, expires) = (user(name), world.now + DAY);
                let id = message(roll(30));
                world.send(
                    conn,
                    ClientFrame::DirectSend {
                        to,
                        id,
                        body: body(1),
                        expires,
                    },
                );
            }
            13 => world.send(
                conn,
                ClientFrame::DirectReceived {
                    id: message(roll(30)),
                },
            ),
            14 => {
                world.disconnect(conn);
                conns.remove(&conn);
                conns.insert(world.connect(name));
            }
            _ if step % 7 == 0 => world.pass(roll(2) * DAY),
            _ => world.send(conn, ClientFrame::RoomDelete { room: room() }),
        }
    }
}
