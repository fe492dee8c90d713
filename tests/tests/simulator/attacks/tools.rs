//! What the attacks share: pictures to compare, and frames to lie with.

use sotto_client::{
    Rejected, Why,
    invite::{
        Link,
        proof::{Answer, Proof},
    },
    model::{Invite, Item, Knock, Person, RoomView, SystemLine},
    rogue::RogueInvite,
    seal::{Purpose, SealKey},
};
use sotto_tests::world::{Actor, World};
use sotto_wire::{
    Bytes, ClientFrame, MessageId, RelayFrame, RoomId, Seq, UserId,
    frame::{ChatKind, ChatReceive, ChatSend},
};

/// Everything a person sees, except for what is only the relay's word: who is
/// online, and how far things were delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture(Vec<RoomPicture>);

#[derive(Debug, Clone, PartialEq)]
struct RoomPicture {
    view: RoomView,
    people: Vec<Person>,
    items: Vec<Item>,
    knocks: Vec<Knock>,
    invites: Vec<Invite>,
}

pub fn picture(world: &World, who: &Actor) -> Picture {
    let mut scene = world.scene();
    let machine = scene.machine(who.name());
    let txn = machine.store.begin();
    let client = machine.client.as_ref().expect("the process runs");
    let rooms = client.rooms().into_iter().map(|view| RoomPicture {
        people: client.people(&view.id).into_iter().map(offline).collect(),
        items: client
            .timeline(&txn, &view.id, None, 100_000)
            .expect("it can be read")
            .items,
        knocks: client.knocks(&txn, &view.id).expect("it can be read"),
        invites: client.invites(&view.id),
        view,
    });
    Picture(rooms.collect())
}

fn offline(person: Person) -> Person {
    Person {
        online: false,
        delivered: 0,
        ..person
    }
}

/// How many rooms this person has.
pub fn rooms(world: &World, who: &Actor) -> usize {
    picture(world, who).0.len()
}

pub fn whys(rejected: &[Rejected]) -> Vec<Why> {
    rejected.iter().map(|r| r.why).collect()
}

/// The relay says this, it is refused for this reason (or silently), and
/// nothing changes.
pub fn changes_nothing(world: &World, to: &Actor, frame: RelayFrame, why: Option<Why>) {
    let before = picture(world, to);
    let what = format!("{frame:?}");
    let rejected = world.relay_says(to, frame);
    assert_eq!(
        whys(&rejected),
        why.into_iter().collect::<Vec<_>>(),
        "{what}"
    );
    assert_eq!(picture(world, to), before, "{what}");
}

/// The relay puts this at the next place of the room's order. It is refused
/// for this reason, one message is shown as missing, and nothing else changes.
pub fn becomes_a_gap(world: &World, to: &Actor, message: ChatReceive, why: Why) {
    let (texts, people, gaps) = (to.texts(), to.member_names(), to.gaps());
    let (host, lines) = (to.view().host, to.lines());
    let rejected = world.relay_says(to, RelayFrame::ChatReceive(message));
    assert_eq!(whys(&rejected), [why]);
    assert_eq!(to.texts(), texts);
    assert_eq!((to.member_names(), to.view().host), (people, host));
    assert_eq!(to.lines(), lines);
    assert_eq!(to.gaps(), gaps + 1, "what is missing is shown");
}

pub fn refusals(who: &Actor, by: &Actor) -> usize {
    let by = by.user();
    let of_them = |line: &SystemLine| matches!(line, SystemLine::Refused { by: b } if b.user == by);
    who.lines().iter().filter(|line| of_them(line)).count()
}

/// The newest frame of a kind that reached somebody.
pub fn last_heard<T>(
    world: &World,
    who: &Actor,
    pick: impl FnMut(RelayFrame) -> Option<T>,
) -> Option<T> {
    world.heard_by(who).into_iter().filter_map(pick).next_back()
}

pub fn message(frame: RelayFrame) -> Option<ChatReceive> {
    match frame {
        RelayFrame::ChatReceive(message) if message.kind == ChatKind::Application => Some(message),
        _ => None,
    }
}

pub fn commit(frame: RelayFrame) -> Option<ChatReceive> {
    match frame {
        RelayFrame::ChatReceive(message) if message.kind == ChatKind::Commit => Some(message),
        _ => None,
    }
}

pub fn letter(frame: RelayFrame) -> Option<(MessageId, UserId, Bytes)> {
    match frame {
        RelayFrame::DirectReceive { id, from, body } => Some((id, from, body)),
        _ => None,
    }
}

pub fn knock(frame: RelayFrame) -> Option<(MessageId, UserId, Bytes)> {
    match frame {
        RelayFrame::RoomKnocked {
            knock, from, body, ..
        } => Some((knock, from, body)),
        _ => None,
    }
}

/// What somebody sent for the room's order.
pub fn sends(world: &World, who: &Actor) -> Vec<ChatSend> {
    let send = |frame| match frame {
        ClientFrame::ChatSend(send) => Some(send),
        _ => None,
    };
    world.sent_by(who).into_iter().filter_map(send).collect()
}

/// The own knock that is on its way: its id and body.
pub fn own_knock(world: &World, who: &Actor) -> (MessageId, Bytes) {
    let knock = |frame| match frame {
        ClientFrame::RoomKnock { id, body, .. } => Some((id, body)),
        _ => None,
    };
    world
        .sent_by(who)
        .into_iter()
        .filter_map(knock)
        .next_back()
        .expect("there was a knock")
}

/// A Welcome in a letter, as a member's client would make it of an invite: by
/// whoever has got hold of its key, or made one up.
pub fn sealed_welcome(
    world: &World,
    invite: &RogueInvite,
    knock: MessageId,
    to: UserId,
    welcome: &[u8],
) -> Bytes {
    sealed_letter(world, invite, knock, to, &letter_to(1, welcome))
}

/// What is signed in a letter: seq and epoch of the newcomer's first place,
/// here the same number, no mark of the order, and the Welcome.
pub fn letter_to(n: u64, welcome: &[u8]) -> Vec<u8> {
    let n = n.to_be_bytes();
    [&n, &n, &[0; 16][..], welcome].concat()
}

pub fn sealed_letter(
    world: &World,
    invite: &RogueInvite,
    knock: MessageId,
    to: UserId,
    letter: &[u8],
) -> Bytes {
    let link = &invite.link;
    let answer = Answer {
        terms: link.terms(),
        knock,
        to,
        letter,
    };
    let proof = Proof::make(invite.account, invite.vouching, &invite.key, &answer);
    let plain = [proof.encode().as_slice(), letter].concat();
    seal(world, link, Purpose::Welcome, link.room, knock, &plain)
}

/// Sealed under an invite's secret for any purpose, room and knock in front.
pub fn seal(
    world: &World,
    link: &Link,
    purpose: Purpose,
    room: RoomId,
    knock: MessageId,
    plain: &[u8],
) -> Bytes {
    let key = SealKey::derive(link.secret.expose(), purpose, room.as_bytes());
    let mut rng: rand_chacha::ChaCha20Rng =
        rand_core::SeedableRng::from_seed(world.scene().dice.seed());
    let mut body = room.as_bytes().to_vec();
    body.extend_from_slice(knock.as_bytes());
    body.extend(key.seal(&mut rng, knock.as_bytes(), plain));
    body.into()
}

pub fn next_place(world: &World, who: &Actor) -> Seq {
    world.head(who.room()) + 1
}

pub fn some_id(world: &World) -> MessageId {
    MessageId(world.scene().dice.id())
}

pub fn garbage(world: &World, len: usize) -> Bytes {
    let mut scene = world.scene();
    (0..len)
        .map(|_| scene.dice.number(0, 255) as u8)
        .collect::<Vec<_>>()
        .into()
}

pub fn parse(link: &str) -> Link {
    link.parse().expect("a link")
}
