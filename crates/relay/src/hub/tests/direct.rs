//! Mail to one person and the key packages: kept, bounded, given out once.

use super::*;

fn direct(to: &str, n: u64) -> ClientFrame {
    let expires = START + DAY;
    ClientFrame::DirectSend {
        to: user(to),
        id: message(n),
        body: body(n as u8),
        expires,
    }
}

fn receive(from: &str, n: u64) -> RelayFrame {
    RelayFrame::DirectReceive {
        id: message(n),
        from: user(from),
        body: body(n as u8),
    }
}

fn direct_only(frames: Vec<RelayFrame>) -> Vec<RelayFrame> {
    frames
        .into_iter()
        .filter(|f| matches!(f, RelayFrame::DirectReceive { .. }))
        .collect()
}

#[test]
fn a_direct_message_waits_for_its_reader_through_a_restart() {
    let mut world = World::new();
    let bob = world.connect("bob");
    world.disconnect(bob);
    let alice = world.connect("alice");
    world.clear();
    for n in 1..4 {
        world.send(alice, direct("bob", n));
    }
    let acks: Vec<_> = (1..4)
        .map(|n| RelayFrame::DirectAck { id: message(n) })
        .collect();
    assert_eq!(world.hears(alice), acks);
    world.restart();
    for _ in 0..2 {
        let bob = world.connect("bob");
        let all: Vec<_> = (1..4).map(|n| receive("alice", n)).collect();
        assert_eq!(
            direct_only(world.hears(bob)),
            all,
            "until it is acknowledged"
        );
        world.disconnect(bob);
    }
    let bob = world.connect("bob");
    world.send(bob, ClientFrame::DirectReceived { id: message(2) });
    let bob = world.connect("bob");
    assert_eq!(
        direct_only(world.hears(bob)),
        [receive("alice", 1), receive("alice", 3)]
    );
}

#[test]
fn a_repeated_direct_message_is_acked_and_not_delivered_twice() {
    let mut world = World::new();
    let (alice, bob) = (world.connect("alice"), world.connect("bob"));
    world.clear();
    world.send(alice, direct("bob", 1));
    world.send(alice, direct("bob", 1));
    assert_eq!(world.hears(bob), [receive("alice", 1)]);
    world.send(bob, ClientFrame::DirectReceived { id: message(1) });
    world.restart();
    let (alice, bob) = (world.connect("alice"), world.connect("bob"));
    world.clear();
    world.send(alice, direct("bob", 1));
    assert_eq!(
        world.hears(alice),
        [RelayFrame::DirectAck { id: message(1) }]
    );
    assert_eq!(world.hears(bob), []);
}

#[test]
fn nobody_acknowledges_the_mail_of_another() {
    let mut world = World::new();
    let (alice, bob) = (world.connect("alice"), world.connect("bob"));
    let mallory = world.connect("mallory");
    world.send(alice, direct("bob", 1));
    world.send(mallory, ClientFrame::DirectReceived { id: message(1) });
    world.disconnect(bob);
    let bob = world.connect("bob");
    assert_eq!(direct_only(world.hears(bob)), [receive("alice", 1)]);
}

#[test]
fn mail_for_nobody_and_old_mail_is_refused() {
    let mut world = World::new();
    let alice = world.connect("alice");
    world.clear();
    world.send(alice, direct("nobody", 1));
    assert_eq!(world.error(alice), ErrorCode::NotFound);
    world.now += 2 * DAY;
    world.send(alice, direct("alice", 1));
    assert_eq!(world.error(alice), ErrorCode::InvalidFormat);
}

#[test]
fn someone_added_to_a_room_by_id_alone_has_no_mailbox_yet() {
    let (mut world, alice) = World::with_room();
    world.chat(alice, commit(1, 0, &["ghost"], &[]));
    world.clear();
    world.send(alice, direct("ghost", 1));
    assert_eq!(world.error(alice), ErrorCode::NotFound);
    let ghost = world.connect("ghost");
    world.send(alice, direct("ghost", 1));
    assert_eq!(direct_only(world.hears(ghost)).len(), 1);
}

#[test]
fn a_mailbox_has_its_bounds_for_one_sender_and_for_all() {
    let config = HubConfig {
        direct_count: 3,
        direct_per_sender: 2,
        ..HubConfig::default()
    };
    let mut world = World::with(config);
    let (alice, carol) = (world.connect("alice"), world.connect("carol"));
    let bob = world.connect("bob");
    world.send(alice, direct("bob", 1));
    world.send(alice, direct("bob", 2));
    world.clear();
    world.send(alice, direct("bob", 3));
    assert_eq!(world.error(alice), ErrorCode::RateLimited);
    world.send(carol, direct("bob", 3));
    world.clear();
    world.send(carol, direct("bob", 4));
    assert_eq!(world.error(carol), ErrorCode::Unavailable);
    world.send(bob, ClientFrame::DirectReceived { id: message(1) });
    world.send(carol, direct("bob", 4));
    assert_eq!(
        world.hears(carol),
        [RelayFrame::DirectAck { id: message(4) }]
    );
}

fn publish(n: std::ops::Range<u8>, last: Option<u8>) -> ClientFrame {
    let packages = n.map(body).collect();
    ClientFrame::KeysPublish {
        packages,
        last_resort: last.map(body),
    }
}

#[test]
fn each_key_package_goes_out_once_and_then_the_last_resort() {
    let mut world = World::new();
    let (alice, bob) = (world.connect("alice"), world.connect("bob"));
    assert!(world.hears(bob).contains(&RelayFrame::KeysLow { count: 0 }));
    world.clear();
    world.send(bob, publish(0..6, Some(99)));
    assert_eq!(world.hears(bob), [RelayFrame::KeysPublished { count: 6 }]);
    let taken = |n| {
        [RelayFrame::KeysTaken {
            user: user("bob"),
            package: body(n),
        }]
    };
    for n in 0..6 {
        if n == 3 {
            world.restart();
            (world.heard, world.next) = (BTreeMap::new(), 100);
            world.connect("alice");
            world.clear();
        }
        let conn = if n < 3 { alice } else { ConnId(100) };
        world.send(conn, ClientFrame::KeysTake { user: user("bob") });
        assert_eq!(world.hears(conn), taken(n));
        if n < 3 {
            let low: &[_] = if n < 1 {
                &[]
            } else {
                &[RelayFrame::KeysLow {
                    count: 5 - n as usize,
                }]
            };
            assert_eq!(world.hears(bob), low);
        }
    }
    for _ in 0..2 {
        world.send(ConnId(100), ClientFrame::KeysTake { user: user("bob") });
        assert_eq!(world.hears(ConnId(100)), taken(99));
    }
}

#[test]
fn key_packages_are_bounded_and_the_oldest_go() {
    let mut world = World::with(HubConfig {
        keys_per_device: 3,
        ..HubConfig::default()
    });
    let alice = world.connect("alice");
    world.clear();
    world.send(alice, publish(0..2, None));
    world.send(alice, publish(2..5, None));
    assert_eq!(
        world.hears(alice).last(),
        Some(&RelayFrame::KeysPublished { count: 3 })
    );
    world.send(
        alice,
        ClientFrame::KeysTake {
            user: user("alice"),
        },
    );
    let taken = RelayFrame::KeysTaken {
        user: user("alice"),
        package: body(2),
    };
    assert_eq!(world.hears(alice)[0], taken);
    world.send(alice, publish(0..101, None));
    assert_eq!(world.error(alice), ErrorCode::TooLarge);
    world.send(
        alice,
        ClientFrame::KeysPublish {
            packages: vec![Bytes::default()],
            last_resort: None,
        },
    );
    assert_eq!(world.error(alice), ErrorCode::InvalidFormat);
}

#[test]
fn taking_keys_has_its_limit() {
    let mut world = World::new();
    let (alice, bob) = (world.connect("alice"), world.connect("bob"));
    world.send(bob, publish(0..1, Some(9)));
    for _ in 0..world.relay.hub.config.take_rate.burst {
        world.send(alice, ClientFrame::KeysTake { user: user("bob") });
    }
    world.clear();
    world.send(alice, ClientFrame::KeysTake { user: user("bob") });
    assert_eq!(world.error(alice), ErrorCode::RateLimited);
    world.now += MINUTE;
    world.send(alice, ClientFrame::KeysTake { user: user("bob") });
    assert!(matches!(
        world.hears(alice)[0],
        RelayFrame::KeysTaken { .. }
    ));
}
