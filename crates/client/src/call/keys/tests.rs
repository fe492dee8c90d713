//! Media keys: who can derive them, and when a new one is used.

use super::*;
use rand_core::SeedableRng as _;
use sotto_wire::UserId;
use std::collections::BTreeSet;

const CALL: CallId = CallId([7; 16]);
const ME: DeviceId = DeviceId([1; 16]);

fn epoch(n: u64) -> EpochKeys {
    EpochKeys {
        epoch: n,
        authenticator: vec![n as u8; 32],
        secret: Zeroizing::new(vec![n as u8; 32]),
    }
}

fn peer(n: u8) -> Peer {
    Peer {
        user: UserId([n; 32]),
        device: DeviceId([n; 16]),
    }
}

struct Scene {
    rng: ChaCha20Rng,
    epochs: Epochs,
    own: OwnKeys,
}

impl Scene {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let epochs = Epochs::new(epoch(1));
        let own = OwnKeys::new(CALL, ME, &mut rng, &epochs);
        Self { rng, epochs, own }
    }

    fn share(&mut self, with: &[u8], now: Millis) -> bool {
        let with: Vec<Peer> = with.iter().map(|n| peer(*n)).collect();
        self.own.share(&with, now, &mut self.rng, &self.epochs)
    }

    fn ack(&mut self, n: u8) {
        let kid = self.own.newest_kid();
        self.own.acknowledged(&peer(n), Some(kid));
    }
}

#[test]
fn a_key_that_nobody_has_needs_no_successor() {
    let mut scene = Scene::new();
    assert_eq!(scene.own.advance(0).map(|k| k.kid), Some(0));
    assert!(!scene.share(&[2, 3], 0));
    assert_eq!(scene.own.newest_kid(), 0);
    assert!(scene.own.advance(0).is_none());
}

#[test]
fn who_could_not_derive_it_gets_another() {
    let mut scene = Scene::new();
    scene.epochs.enter(epoch(2));
    assert!(scene.share(&[2], 0));
    assert_eq!(
        scene.own.letter().purpose(),
        super::super::payload::SignalPurpose::Key
    );
    scene.ack(2);
    assert_eq!(scene.own.advance(1).map(|k| k.kid), Some(1));
    assert_eq!(scene.own.in_use(), (1, 2));
}

#[test]
fn every_change_makes_a_new_key_once_all_have_it() {
    let mut scene = Scene::new();
    scene.own.advance(0);
    scene.share(&[2, 3], 0);
    assert!(scene.share(&[2, 3, 4], 10));
    scene.ack(2);
    scene.ack(3);
    assert!(scene.own.advance(20).is_none(), "4 has it not yet");
    scene.ack(4);
    assert_eq!(scene.own.advance(20).map(|k| k.kid), Some(1));
    assert!(scene.share(&[2, 4], 30));
    assert!(scene.own.advance(30).is_none());
    scene.ack(2);
    scene.ack(4);
    assert_eq!(scene.own.advance(31).map(|k| k.kid), Some(2));
}

#[test]
fn the_old_key_ends_after_a_second_and_nobody_can_put_it_off() {
    let mut scene = Scene::new();
    scene.own.advance(0);
    scene.share(&[2, 3, 4], 0);
    scene.share(&[2, 3], 1_000);
    assert_eq!(scene.own.deadline(), Some(2_000));
    // Somebody comes and goes all the time.
    scene.share(&[2, 3, 5], 1_400);
    scene.share(&[2, 3], 1_900);
    assert!(scene.own.advance(1_999).is_none());
    assert_eq!(scene.own.advance(2_000).map(|k| k.kid), Some(3));
    assert_eq!(scene.own.deadline(), None);
}

#[test]
fn nobody_can_acknowledge_for_others_or_in_advance() {
    let mut scene = Scene::new();
    scene.own.advance(0);
    scene.share(&[2, 3], 0);
    scene.own.acknowledged(&peer(9), Some(0));
    scene.own.acknowledged(&peer(2), Some(u64::MAX));
    assert!(!scene.own.has(&peer(2)) && !scene.own.has(&peer(9)));
    scene.share(&[2], 10);
    scene.own.acknowledged(&peer(2), Some(0));
    assert!(scene.own.advance(20).is_none());
}

#[test]
fn a_key_rests_on_everything_it_should() {
    let (seed, e1, e2) = ([5; 32], epoch(1), epoch(2));
    let mut same_number = epoch(1);
    same_number.secret = Zeroizing::new(vec![9; 32]);
    let keys = [
        media_key(&CALL, &ME, 0, &seed, &e1),
        media_key(&CallId([8; 16]), &ME, 0, &seed, &e1),
        media_key(&CALL, &DeviceId([2; 16]), 0, &seed, &e1),
        media_key(&CALL, &ME, 1, &seed, &e1),
        media_key(&CALL, &ME, 0, &[6; 32], &e1),
        media_key(&CALL, &ME, 0, &seed, &e2),
        media_key(&CALL, &ME, 0, &seed, &same_number),
    ];
    let secrets: BTreeSet<[u8; 32]> = keys.iter().map(|key| *key.secret()).collect();
    assert_eq!(secrets.len(), keys.len());
    assert_eq!(keys[0], media_key(&CALL, &ME, 0, &seed, &e1));
}

#[test]
fn nothing_secret_prints() {
    let scene = Scene::new();
    let key = media_key(&CALL, &ME, 3, &[5; 32], &epoch(1));
    assert_eq!(format!("{key:?}"), "<media key 3>");
    assert_eq!(format!("{:?}", scene.own), "<own keys up to 0>");
    assert_eq!(format!("{:?}", scene.own.letter()), "<Key>");
    assert_eq!(format!("{:?}", epoch(4)), "<keys of epoch 4>");
}
