//! The client's side. The relay is a loop that gives every message its place.

use super::{Side, time};
use sotto_client::{
    Call, Client, Effect, Input, Now, Outcome, Request, Txn as _,
    model::{Admission, MessageBody, Profile},
    store::{Space, memory::MemoryStore},
};
use sotto_wire::{
    ClientFrame, MessageId, RelayAddress, RelayFrame, RoomId, UserId,
    codec::Envelope,
    frame::{ChatKind, ChatReceive, ChatSend, Presence, RoomMember, RoomOpened},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

struct Station {
    client: Client,
    store: MemoryStore,
    mono: u64,
}

pub struct Ours {
    room: RoomId,
    link: String,
    seq: u64,
    epoch: u64,
    host: Station,
    member: Station,
    next_seed: u8,
}

fn relay() -> RelayAddress {
    "ws://127.0.0.1:3030".parse().expect("an address")
}

fn wall() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    since.as_millis() as u64
}

impl Station {
    fn new(seed: u8) -> Self {
        let mut store = MemoryStore::default();
        let mut txn = store.begin();
        let now = Now {
            wall: wall(),
            mono: 0,
        };
        let profile = Profile {
            name: format!("Person {seed}"),
            ..Profile::default()
        };
        let client = Client::create([seed; 32], &mut txn, now, profile).expect("memory");
        txn.commit().expect("memory");
        Self {
            client,
            store,
            mono: 0,
        }
    }

    fn handle(&mut self, input: Input) -> Vec<Effect> {
        self.mono += 1;
        let now = Now {
            wall: wall(),
            mono: self.mono,
        };
        let mut txn = self.store.begin();
        let effects = self.client.handle(now, input, &mut txn).expect("memory");
        txn.commit().expect("memory");
        effects
    }

    fn ask(&mut self, request: Request) -> (Vec<Effect>, Outcome) {
        let effects = self.handle(Input::Ui {
            call: Call(0),
            request,
        });
        let outcome = effects.iter().find_map(|effect| match effect {
            Effect::Answer { result, .. } => Some(result.clone().expect("granted")),
            _ => None,
        });
        (effects, outcome.expect("an answer"))
    }

    fn hear(&mut self, frame: RelayFrame) -> Vec<Effect> {
        self.handle(Input::Relay {
            relay: relay(),
            envelope: Envelope::from(frame),
        })
    }

    fn relay_up(&mut self) -> Vec<Effect> {
        self.handle(Input::RelayUp { relay: relay() })
    }

    /// Wakes it when it next wants to be woken.
    fn wake(&mut self) -> Vec<Effect> {
        self.mono = self.mono.max(self.client.next_wake().unwrap_or(self.mono));
        self.handle(Input::Wake)
    }
}

fn frames(effects: Vec<Effect>) -> impl Iterator<Item = ClientFrame> {
    effects.into_iter().filter_map(|effect| match effect {
        Effect::Send { envelope, .. } => Some(envelope.frame),
        _ => None,
    })
}

fn chat(effects: Vec<Effect>) -> ChatSend {
    let sent = frames(effects).find_map(|frame| match frame {
        ClientFrame::ChatSend(send) => Some(send),
        _ => None,
    });
    sent.expect("a message on its way")
}

fn knock(effects: Vec<Effect>) -> (MessageId, sotto_wire::Bytes) {
    let sent = frames(effects).find_map(|frame| match frame {
        ClientFrame::RoomKnock { id, body, .. } => Some((id, body)),
        _ => None,
    });
    sent.expect("a knock")
}

impl Ours {
    fn opened(&self) -> RelayFrame {
        let user = self.host.client.user();
        RelayFrame::RoomOpened(RoomOpened {
            room: self.room,
            host: user,
            members: vec![RoomMember {
                user,
                state: Presence::Online,
                up_to: 0,
            }],
            count: 1,
            epoch: self.epoch,
            head: self.seq,
            retained_from: self.seq + 1,
        })
    }

    /// Gives the host's message its place.
    fn acknowledge(&mut self, send: &ChatSend) -> Vec<Effect> {
        self.seq += 1;
        self.epoch += u64::from(send.kind == ChatKind::Commit);
        let (id, room, seq, at) = (send.id, self.room, self.seq, wall());
        self.host.hear(RelayFrame::ChatAck { id, room, seq, at })
    }

    fn received(&self, send: ChatSend) -> RelayFrame {
        RelayFrame::ChatReceive(ChatReceive {
            room: self.room,
            seq: self.seq,
            id: send.id,
            from: self.host.client.user(),
            device: self.host.client.device(),
            kind: send.kind,
            body: send.body,
            at: wall(),
        })
    }

    /// A newcomer, and what they say at the door.
    fn newcomer(&mut self) -> (Station, RelayFrame) {
        self.next_seed = self.next_seed.wrapping_add(1).max(3);
        let mut station = Station::new(self.next_seed);
        let link = self.link.clone();
        station.ask(Request::Join { link });
        let (id, body) = knock(station.relay_up());
        let from = station.client.user();
        (
            station,
            RelayFrame::RoomKnocked {
                room: self.room,
                knock: id,
                from,
                body,
            },
        )
    }

    /// The host lets somebody in. Returns the commit and the letter.
    fn let_in(&mut self, knocked: RelayFrame) -> (Duration, ChatSend, ClientFrame) {
        let host = &mut self.host;
        let (asked, effects) = time(|| {
            let mut effects = host.hear(knocked);
            if !effects.iter().any(|e| matches!(e, Effect::Send { .. })) {
                effects = host.wake();
            }
            effects
        });
        let commit = chat(effects);
        let (answered, effects) = time(|| self.acknowledge(&commit));
        let letter = frames(effects)
            .find(|frame| matches!(frame, ClientFrame::DirectSend { .. }))
            .expect("a letter");
        (asked + answered, commit, letter)
    }

    fn deliver(station: &mut Station, from: UserId, letter: ClientFrame) {
        let ClientFrame::DirectSend { id, body, .. } = letter else {
            unreachable!("only letters are delivered")
        };
        station.hear(RelayFrame::DirectReceive { id, from, body });
    }

    fn remove(&mut self, user: UserId) {
        let (effects, _) = self.host.ask(Request::Remove {
            room: self.room,
            user,
        });
        let commit = chat(effects);
        self.acknowledge(&commit);
        let received = self.received(commit);
        self.member.hear(received);
        // Removing somebody closes all links.
        self.link = self.invite();
    }

    fn invite(&mut self) -> String {
        let valid_for = 60 * 60 * 1000;
        let (effects, outcome) = self.host.ask(Request::CreateInvite {
            room: self.room,
            valid_for,
        });
        let commit = chat(effects);
        self.acknowledge(&commit);
        if self.member.client.room(&self.room).is_some() {
            let received = self.received(commit);
            self.member.hear(received);
        }
        match outcome {
            Outcome::Invite(invite) => invite.link,
            _ => unreachable!("an invite was asked for"),
        }
    }
}

impl Side for Ours {
    fn with_members(count: usize) -> Self {
        let mut host = Station::new(1);
        let (name, topic) = ("Bench".to_owned(), String::new());
        let admission = Admission::AtOnce;
        let (_, outcome) = host.ask(Request::CreateRoom {
            relay: relay(),
            name,
            topic,
            admission,
        });
        let Outcome::Room(room) = outcome else {
            unreachable!("a room was asked for")
        };
        host.relay_up();
        let member = Station::new(2);
        let link = String::new();
        let mut this = Self {
            room,
            link,
            seq: 0,
            epoch: 0,
            host,
            member,
            next_seed: 2,
        };
        this.host.hear(RelayFrame::RoomCreated { room });
        let opened = this.opened();
        this.host.hear(opened);
        this.link = this.invite();
        // The others knock and are let in; they need not follow.
        for _ in 2..count {
            let (_, knocked) = this.newcomer();
            this.let_in(knocked);
        }
        let link = this.link.clone();
        this.member.ask(Request::Join { link });
        let (id, body) = knock(this.member.relay_up());
        let from = this.member.client.user();
        let (_, _, letter) = this.let_in(RelayFrame::RoomKnocked {
            room,
            knock: id,
            from,
            body,
        });
        let from = this.host.client.user();
        Self::deliver(&mut this.member, from, letter);
        let opened = this.opened();
        this.member.hear(opened);
        this
    }

    fn round(&mut self) -> [Duration; 5] {
        let (mut newcomer, knocked) = self.newcomer();
        let (add, commit, letter) = self.let_in(knocked);
        let received = self.received(commit);
        self.member.hear(received);
        let from = self.host.client.user();
        let (join, ()) = time(|| Self::deliver(&mut newcomer, from, letter));
        self.remove(newcomer.client.user());

        let profile = self.host.client.profile();
        let room = self.room;
        let host = &mut self.host;
        let (built, (effects, _)) = time(|| host.ask(Request::SetProfile(profile)));
        let commit = chat(effects);
        let (merged, _) = time(|| self.acknowledge(&commit));
        let received = self.received(commit);
        let member = &mut self.member;
        let (followed, _) = time(|| member.hear(received));

        let id = MessageId(
            self.seq
                .to_be_bytes()
                .repeat(2)
                .try_into()
                .expect("16 bytes"),
        );
        let body = MessageBody {
            text: "A message of usual length.".into(),
            reply_to: None,
        };
        let host = &mut self.host;
        let (encrypt, (effects, _)) = time(|| host.ask(Request::Send { room, id, body }));
        let message = chat(effects);
        self.acknowledge(&message);
        let received = self.received(message);
        let member = &mut self.member;
        let (decrypt, _) = time(|| member.hear(received));
        let unread = self.member.store.begin().scan(Space::Room, room.as_bytes());
        assert!(unread.is_ok_and(|rooms| !rooms.is_empty()));
        [add, join, built + merged + followed, encrypt, decrypt]
    }
}
