//! The largest call there is: six people, each connected with all the others.
//! `sotto-bench calls` has the long form, with numbers.

use crate::calls::{connected, hears, join, looks, measures, of, person, rings, sees, start};
use crate::harness::{Person, World};
use sotto_client::call::media::{Peer, Sending};
use sotto_media::{
    console::{CallStats, TileId},
    device::pattern,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const NAMES: [(&str, u32); 6] = [
    ("Alice", 330),
    ("Bob", 392),
    ("Carol", 440),
    ("Dave", 494),
    ("Erin", 554),
    ("Frank", 622),
];
const OTHERS: usize = NAMES.len() - 1;
const ALL: Sending = Sending {
    microphone: true,
    camera: true,
    screen: None,
};
/// A queue that grows is soon longer than this; what a busy machine holds up
/// is gone again.
const STALE: Duration = Duration::from_secs(2);

/// How long ago the newest picture of this camera was captured, as its own
/// clock has it.
fn age(person: &Person, peer: Peer) -> Option<Duration> {
    let tile = TileId::Camera(peer);
    let frame = person.engine.media().tile(&tile, 320, 180, 0)?;
    let (_, captured) = pattern::read_luma(&frame.data, frame.size)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let since = (now.as_millis() as u32).wrapping_sub(captured);
    Some(Duration::from_millis(since.into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn six_people_all_see_and_hear_each_other_and_nothing_piles_up() {
    let world = World::new().await;
    let mut people = Vec::new();
    for (name, hertz) in NAMES {
        people.push(person(name, hertz).await);
    }
    let [host, others @ ..] = &mut people[..] else {
        panic!("six people");
    };
    let mut guests: Vec<&mut Person> = others.iter_mut().collect();
    let room = world.room_of(host, &mut guests).await;
    start(host, room, ALL).await;
    for other in others {
        let call = rings(other).await;
        join(other, room, call, ALL).await;
    }
    for person in &mut people {
        connected(person, OTHERS).await;
        looks(person, 320, 180).await;
    }

    let users: Vec<_> = people.iter().map(Person::user).collect();
    let all_of = |me: &Person, stats: &CallStats| {
        let mut others = users.iter().filter(|user| **user != me.user());
        others.all(|user| hears(stats, *user) && sees(stats, *user))
    };
    for person in &people {
        measures(person, |stats| all_of(person, stats)).await;
    }

    // Ten seconds of the call itself, and everything still goes on.
    for person in &people {
        let before = measures(person, |stats| stats.age_ms >= 10_000).await;
        let goes_on = |stats: &CallStats| {
            before.peers.iter().all(|before| {
                of(stats, before.user).is_some_and(|end| {
                    let pictures = |end: &sotto_media::console::EndStats| {
                        end.camera.map_or(0, |picture| picture.decoded)
                    };
                    let peer = Peer {
                        user: end.user,
                        device: end.device,
                    };
                    end.sound.played_ms > before.sound.played_ms + 500
                        && u64::from(end.sound.delay_ms) < STALE.as_millis() as u64
                        && pictures(end) > pictures(before) + 10
                        && age(person, peer).is_some_and(|age| age < STALE)
                })
            })
        };
        let stats = measures(person, goes_on).await;
        assert_eq!(stats.peers.len(), OTHERS);
        for end in &stats.peers {
            let refused = end.frames.forged + end.frames.replayed + end.frames.malformed;
            assert_eq!(refused, 0, "{:#?}", end.frames);
        }
    }
    for mut person in people {
        person.stop().await;
    }
    world.stop().await;
}
