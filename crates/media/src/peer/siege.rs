//! A member of the call who sends whatever passes SRTP: no panic, nothing that
//! grows without bound, and the connection goes on, as do all others.
// Seeds and figures are for whoever runs this.
#![allow(clippy::print_stdout)]

mod mallory;

use super::{Control, PeerEvent};
use crate::video::VideoKind;
use bytes::Bytes;
use mallory::{Mallory, PATIENCE, Victim, meet};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rtc::rtp::header::Extension;
use std::time::{Duration, Instant};

const SEED: u64 = 0x5077_04b1;

fn dice(seed: u64) -> ChaCha8Rng {
    println!("seed {seed:#x}");
    ChaCha8Rng::seed_from_u64(seed)
}

fn below(dice: &mut ChaCha8Rng, most: u64) -> u64 {
    dice.next_u64() % most
}

/// RTCP by hand: version 2 and count, type, and the body in whole words.
fn rtcp(count: u8, kind: u8, body: &[u8]) -> Vec<u8> {
    let words = (body.len() / 4) as u16;
    let mut octets = vec![0x80 | count, kind];
    octets.extend(words.to_be_bytes());
    octets.extend(body);
    octets
}

/// Feedback from nobody about one stream of the victim.
fn feedback(count: u8, kind: u8, about: u32, rest: &[u8]) -> Vec<u8> {
    let body = [&0u32.to_be_bytes()[..], &about.to_be_bytes(), rest].concat();
    rtcp(count, kind, &body)
}

const SHOWS: Control = Control::Shows {
    kind: VideoKind::Camera,
    width: 320,
    height: 180,
};

impl Victim {
    /// Everything that was reported since it was asked last.
    fn reported(&mut self) -> Vec<PeerEvent> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    /// Until a voice packet of this content is heard: everything before was
    /// taken and survived.
    async fn hears(&mut self, mallory: &Mallory, content: &'static [u8]) {
        let mut again = tokio::time::interval(Duration::from_millis(20));
        let heard = async {
            loop {
                tokio::select! {
                    event = self.events.recv() => match event.expect("it lives") {
                        PeerEvent::Heard(heard) if heard.data == content => return,
                        PeerEvent::Failed(why) => panic!("{why:?}"),
                        _ => {}
                    },
                    _ = again.tick() => {
                        let data = Bytes::from_static(content);
                        mallory.send(0, mallory.packet(0, 1, data)).await;
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, heard)
            .await
            .expect("it hears");
    }

    /// Until a message arrives over the data channel.
    async fn is_told(&mut self, mallory: &Mallory) {
        let mut again = tokio::time::interval(Duration::from_millis(100));
        let told = async {
            loop {
                tokio::select! {
                    event = self.events.recv() => match event.expect("it lives") {
                        PeerEvent::Says(_) => return,
                        PeerEvent::Failed(why) => panic!("{why:?}"),
                        _ => {}
                    },
                    _ = again.tick() => mallory.message(&SHOWS.encode()).await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, told)
            .await
            .expect("it is told");
    }
}

/// Sends something of each kind for a while, as the victim sends voice and
/// pictures; then the connection still works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn absurd_rtcp_changes_nothing() {
    let (mallory, mut victim) = meet().await;
    let mut dice = dice(SEED);
    let ours = victim.ssrcs;
    for round in 0..4_000u32 {
        let about = match below(&mut dice, 4) {
            0 => dice.next_u64() as u32,
            n => ours[n as usize - 1],
        };
        let length = below(&mut dice, 40) as usize * 4;
        let mut rest = vec![0; length];
        dice.fill_bytes(&mut rest);
        if below(&mut dice, 3) == 0 {
            rest.fill(0xff);
        }
        let count = below(&mut dice, 32) as u8;
        let kind = 200 + below(&mut dice, 9) as u8;
        let mut octets = feedback(count, kind, about, &rest);
        match below(&mut dice, 8) {
            0 => octets.truncate(below(&mut dice, octets.len() as u64) as usize),
            1 => octets[2..4].copy_from_slice(&[0xff, 0xff]),
            2 => octets[0] ^= 0x20,
            _ => {}
        }
        // SRTCP itself has no place for less.
        if octets.len() >= 8 {
            mallory.say(octets).await;
        }
        if round % 20 == 0 {
            let data = Bytes::from_static(b"our voice");
            victim.peer.send_audio(data, round * 48, false);
            victim
                .peer
                .send_video(VideoKind::Camera, Bytes::from(vec![0; 3000]), true, round);
            tokio::task::yield_now().await;
        }
    }
    victim.hears(&mallory, b"still here").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn absurd_rtp_changes_nothing() {
    let (mallory, mut victim) = meet().await;
    let mut dice = dice(SEED + 1);
    for _ in 0..6_000u32 {
        let stream = below(&mut dice, 3) as usize;
        let length = [0, 1, 2, 3, 7, 40, 900][below(&mut dice, 7) as usize];
        let mut payload = vec![0; length];
        dice.fill_bytes(&mut payload);
        // The next, the same again, holes, leaps, and a few back. SRTP itself
        // has no place for more.
        let step = [1, 1, 1, 0, 2, 40, 5_000, 0xffe0][below(&mut dice, 8) as usize];
        let mut packet = mallory.packet(stream, step, payload.into());
        let header = &mut packet.header;
        header.timestamp = dice.next_u64() as u32;
        header.marker = below(&mut dice, 2) == 0;
        header.padding = below(&mut dice, 4) == 0;
        header.csrc = (0..below(&mut dice, 16) as u32).collect();
        if below(&mut dice, 2) == 0 {
            header.extension = true;
            header.extension_profile = [0xbede, 0x1000][below(&mut dice, 2) as usize];
            for _ in 0..below(&mut dice, 4) {
                let mut value = vec![0; 1 + below(&mut dice, 16) as usize];
                dice.fill_bytes(&mut value);
                let id = 1 + below(&mut dice, 14) as u8;
                header.extensions.push(Extension {
                    id,
                    payload: value.into(),
                });
            }
        }
        mallory.send(stream, packet).await;
        // What waits at the victim is bounded, and taken.
        let _ = victim.reported();
    }
    // Who leaps in the numbers of an own stream may lose it, and no more.
    victim.is_told(&mallory).await;
    let stats = victim.peer.stats();
    println!("{:?} {:?}", stats.camera_in, stats.overrun);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_payload_descriptors_are_counted_and_the_picture_goes_on() {
    let (mallory, mut victim) = meet().await;
    let mut dice = dice(SEED + 2);
    for _ in 0..3_000u32 {
        // Every flag, cut off anywhere, with nothing behind it.
        let mut payload = vec![0; 1 + below(&mut dice, 6) as usize];
        dice.fill_bytes(&mut payload);
        payload[0] |= 0x80;
        mallory.send(1, mallory.packet(1, 1, payload.into())).await;
        let _ = victim.reported();
    }
    // A whole key frame of one packet: it begins, and it ends.
    let sees = async {
        let mut again = tokio::time::interval(Duration::from_millis(20));
        loop {
            tokio::select! {
                event = victim.events.recv() => match event.expect("it lives") {
                    PeerEvent::Seen(seen) if seen.data == b"\x00key"[..] => return,
                    PeerEvent::Failed(why) => panic!("{why:?}"),
                    _ => {}
                },
                _ = again.tick() => {
                    let data = Bytes::from_static(b"\x10\x00key");
                    let mut packet = mallory.packet(1, 1, data);
                    packet.header.marker = true;
                    mallory.send(1, packet).await;
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, sees).await.expect("it sees");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_wishes_reaches_nobody_as_a_flood() {
    let (mallory, mut victim) = meet().await;
    let camera = victim.ssrcs[1];
    let pli = feedback(1, 206, camera, &[]);
    let entry = [&camera.to_be_bytes()[..], &[1, 0, 0, 0]].concat();
    let fir = feedback(4, 206, 0, &entry.repeat(4));
    let (began, mut wanted) = (Instant::now(), 0);
    let wishes = |events: Vec<PeerEvent>| {
        let wish = |event: &&PeerEvent| matches!(event, PeerEvent::KeyframeWanted(_));
        events.iter().filter(wish).count()
    };
    for _ in 0..3_000 {
        mallory.say(pli.clone()).await;
        mallory.say(fir.clone()).await;
        wanted += wishes(victim.reported());
    }
    victim.hears(&mallory, b"still here").await;
    wanted += wishes(victim.reported());
    let seconds = began.elapsed().as_secs_f64();
    println!("6,000 wishes in {seconds:.1} s, {wanted} heard");
    assert!(
        (wanted as f64) < 3.0 + 4.0 * seconds,
        "{wanted} in {seconds}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_octets_do_not_have_everything_sent_again() {
    let (mallory, mut victim) = meet().await;
    let camera = victim.ssrcs[1];
    for time in 0..200 {
        let frame = Bytes::from(vec![0; 4_000]);
        victim
            .peer
            .send_video(VideoKind::Camera, frame, time == 0, time * 3_000);
        tokio::task::yield_now().await;
    }
    // Everything that was sent, and a part of it.
    let pair = |n: u16| {
        let first = (camera as u16).wrapping_add(n * 17);
        [first.to_be_bytes(), [0xff, 0xff]].concat()
    };
    let all: Vec<u8> = (0..60).flat_map(pair).collect();
    let (all, part) = (
        feedback(1, 205, camera, &all),
        feedback(1, 205, camera, &pair(3)),
    );
    let before = mallory.received().await;
    for _ in 0..500 {
        mallory.say(all.clone()).await;
        mallory.say(part.clone()).await;
    }
    victim.hears(&mallory, b"still here").await;
    let octets = mallory.received().await - before;
    println!("1,000 requests brought {octets} octets");
    assert!(octets < 3_000_000, "{octets}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_messages_reach_nobody_as_thousands() {
    let (mallory, mut victim) = meet().await;
    let (began, mut heard) = (Instant::now(), 0);
    let count = |events: Vec<PeerEvent>| {
        let said = |event: &&PeerEvent| matches!(event, PeerEvent::Says(_));
        events.iter().filter(said).count()
    };
    for n in 0..5_000usize {
        match n % 3 {
            0 => mallory.message(&SHOWS.encode()).await,
            1 => mallory.message(&vec![0xff; n % 1_200]).await,
            _ => mallory.message(b"{}").await,
        }
        heard += count(victim.reported());
    }
    // The last of them is taken when what is said now arrives.
    victim.is_told(&mallory).await;
    heard += 1 + count(victim.reported());
    let seconds = began.elapsed().as_secs_f64();
    println!("5,000 messages in {seconds:.1} s, {heard} heard");
    assert!(
        (heard as f64) < 50.0 * (seconds + 2.0),
        "{heard} in {seconds}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goodbye_ends_nothing() {
    let (mallory, mut victim) = meet().await;
    victim.hears(&mallory, b"before").await;
    let sources: Vec<u8> = (0..3).flat_map(|s| mallory.ssrc(s).to_be_bytes()).collect();
    mallory.say(rtcp(3, 203, &sources)).await;
    victim.hears(&mallory, b"after").await;
}
