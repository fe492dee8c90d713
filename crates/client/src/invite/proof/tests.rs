//! What a proof holds for, and that it holds for nothing else.

use super::*;
use rand_core::SeedableRng as _;

const ROOM: RoomId = RoomId([1; 16]);
const INVITE: MessageId = MessageId([2; 16]);
const KNOCK: MessageId = MessageId([3; 16]);
const BOB: UserId = UserId([4; 32]);
const LETTER: &[u8] = b"seq, epoch, mark and a Welcome";

struct Scene {
    alice: AccountKey,
    mallory: AccountKey,
    key: InviteKey,
    secret: InviteSecret,
}

fn scene() -> Scene {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(11);
    Scene {
        alice: AccountKey::generate(&mut rng),
        mallory: AccountKey::generate(&mut rng),
        key: InviteKey::generate(&mut rng),
        secret: InviteSecret::generate(&mut rng),
    }
}

impl Scene {
    fn terms(&self) -> Terms<'_> {
        Terms {
            room: ROOM,
            invite: INVITE,
            secret: &self.secret,
            expires: 1_000,
        }
    }

    fn answer(&self) -> Answer<'_> {
        Answer {
            terms: self.terms(),
            knock: KNOCK,
            to: BOB,
            letter: LETTER,
        }
    }

    fn proof(&self) -> Proof {
        let vouching = self.terms().sign(&self.alice, &self.key.public());
        Proof::make(self.alice.public(), vouching, &self.key, &self.answer())
    }
}

#[test]
fn it_holds_for_the_answer_that_it_was_made_for() {
    let scene = scene();
    let proof = scene.proof();
    assert_eq!(proof.check(&scene.alice.user(), &scene.answer()), Ok(()));
    let sent = [proof.encode(), LETTER.to_vec()].concat();
    assert_eq!(Proof::split(&sent), Ok((proof, LETTER)));
}

#[test]
fn it_holds_for_no_other_answer() {
    let scene = scene();
    let (proof, alice) = (scene.proof(), scene.alice.user());
    let another = InviteSecret::from_bytes([9; 32]);
    let (answer, terms) = (scene.answer(), scene.terms());
    let with = |terms| Answer { terms, ..answer };
    let id = MessageId([9; 16]);
    let others = [
        (
            "knock",
            Answer {
                knock: id,
                ..answer
            },
        ),
        (
            "person",
            Answer {
                to: UserId([9; 32]),
                ..answer
            },
        ),
        (
            "letter",
            Answer {
                letter: &LETTER[1..],
                ..answer
            },
        ),
        (
            "room",
            with(Terms {
                room: RoomId([9; 16]),
                ..terms
            }),
        ),
        (
            "invite",
            with(Terms {
                invite: id,
                ..terms
            }),
        ),
        (
            "secret",
            with(Terms {
                secret: &another,
                ..terms
            }),
        ),
        (
            "expiry",
            with(Terms {
                expires: 1_001,
                ..terms
            }),
        ),
    ];
    for (what, other) in others {
        assert_eq!(proof.check(&alice, &other), Err(BadProof), "{what}");
    }
    let mallory = scene.mallory.user();
    assert_eq!(proof.check(&mallory, &answer), Err(BadProof), "inviter");
}

#[test]
fn nobody_makes_one_without_the_account_and_the_key() {
    let scene = scene();
    let (alice, answer) = (scene.alice.user(), scene.answer());
    let own = InviteKey::generate(&mut rand_chacha::ChaCha20Rng::seed_from_u64(12));
    let signed = scene.terms().sign(&scene.mallory, &own.public());
    let vouched = scene.proof().vouching;
    let (theirs, hers) = (scene.alice.public(), scene.mallory.public());
    let forged = [
        (
            "a key of her own",
            Proof::make(theirs, signed, &own, &answer),
        ),
        (
            "an account of her own",
            Proof::make(hers, signed, &own, &answer),
        ),
        (
            "the inviter's word for another key",
            Proof::make(theirs, vouched, &own, &answer),
        ),
        (
            "the true key's name over her signature",
            Proof {
                key: scene.key.public(),
                ..Proof::make(theirs, vouched, &own, &answer)
            },
        ),
        (
            "the account as the key",
            Proof {
                signature: scene.proof().vouching,
                ..scene.proof()
            },
        ),
    ];
    for (what, proof) in forged {
        assert_eq!(proof.check(&alice, &answer), Err(BadProof), "{what}");
    }
}

#[test]
fn every_bit_of_it_counts() {
    let scene = scene();
    let encoded = scene.proof().encode();
    assert_eq!(encoded.len(), Proof::SIZE);
    for at in 0..encoded.len() {
        let mut bent = encoded.clone();
        bent[at] ^= 1;
        bent.extend_from_slice(LETTER);
        let held = Proof::split(&bent)
            .and_then(|(proof, _)| proof.check(&scene.alice.user(), &scene.answer()));
        assert_eq!(held, Err(BadProof), "byte {at}");
    }
    for len in 0..Proof::SIZE {
        assert_eq!(Proof::split(&encoded[..len]), Err(BadProof), "{len} bytes");
    }
}

#[test]
fn zero_and_numbers_beyond_the_order_are_no_keys() {
    assert_eq!(InviteKey::from_bytes([0; 32]), None);
    assert_eq!(InviteKey::from_bytes([0xff; 32]), None);
    let key = scene().key;
    assert_eq!(InviteKey::from_bytes(*key.expose()).as_ref(), Some(&key));
    assert_eq!(format!("{key:?}"), "<invite key>");
}
