//! What people can do with a client of their own making.

use super::{Actor, World, home};
use sotto_client::{
    Client, Now,
    call::media::Peer,
    invite::Link,
    model::Profile,
    rogue::{Rogue, RogueCommit, RogueInvite},
    store::memory::MemoryTxn,
};
use sotto_wire::{
    Bytes, ClientFrame, DeviceId, MessageId, RoomId, Seq,
    codec::Envelope,
    frame::{CallParticipant, ChatKind, ChatReceive, ChatSend},
};

impl World {
    /// The newest place of a room, as the relay has it.
    pub fn head(&self, room: RoomId) -> Seq {
        let scene = self.scene();
        let all = scene.relays[&home()]
            .relay
            .store
            .backlog(room, 1, Seq::MAX, usize::MAX);
        all.last().map_or(0, |message| message.seq)
    }

    /// Everything that the relay has accepted in a room.
    pub fn log(&self, room: RoomId) -> Vec<ChatReceive> {
        self.scene().relays[&home()]
            .relay
            .store
            .backlog(room, 1, Seq::MAX, usize::MAX)
    }
}

impl Actor {
    pub fn device(&self) -> DeviceId {
        let mut scene = self.world.scene();
        scene
            .machine(self.name)
            .client
            .as_ref()
            .expect("the process runs")
            .device()
    }

    fn hacks<T>(&self, act: impl FnOnce(&mut Client, Now, &mut MemoryTxn<'_>) -> Option<T>) -> T {
        let mut scene = self.world.scene();
        let now = Now {
            wall: scene.wall(),
            mono: 0,
        };
        let machine = scene.machine(self.name);
        let mut txn = machine.store.begin();
        let client = machine.client.as_mut().expect("the process runs");
        let made = act(client, now, &mut txn).expect("it can be made");
        txn.commit().expect("no fault was asked for");
        client
            .distrust_memory(&machine.store.begin())
            .expect("the store can be read");
        made
    }

    /// A commit that keeps to no rule.
    pub fn forges_commit(&self, rogue: &Rogue) -> RogueCommit {
        let room = self.room();
        self.hacks(|client, now, txn| client.rogue_commit(txn, now.wall, &room, rogue))
    }

    /// Any content, properly encrypted.
    pub fn forges_message(&self, content: &str) -> Bytes {
        let room = self.room();
        self.hacks(|client, _, txn| client.rogue_message(txn, &room, content.as_bytes()))
            .into()
    }

    /// Calls themselves something that no honest client would let them.
    pub fn fakes_profile(&self, profile: Profile) {
        self.hacks(|client, _, _| {
            client.rogue_profile(profile);
            Some(())
        });
    }

    /// Signals to somebody in the call as another version might.
    pub fn speaks_another_version_to(&self, who: &Self) {
        let (user, device) = (who.user(), who.device());
        let (room, peer) = (self.room(), Peer { user, device });
        let text = r#"{"v":2,"letter":"in ways that are yet to come"}"#;
        let (call, body) = self.hacks(|client, _, _| client.rogue_signal(&room, peer, text));
        self.sends(ClientFrame::CallSignal {
            room,
            call,
            to: CallParticipant { user, device },
            body: body.into(),
        });
    }

    pub fn key_package(&self) -> Vec<u8> {
        self.hacks(|client, now, txn| client.rogue_package(txn, now.wall))
    }

    /// One that is older than this person's place in any room.
    pub fn old_key_package(&self) -> Vec<u8> {
        self.hacks(|client, _, txn| client.rogue_package(txn, 1))
    }

    /// A Welcome to a group of one's own that goes by the id of a room.
    pub fn forges_room(
        &self,
        room: RoomId,
        packages: &[Vec<u8>],
        invites: &[RogueInvite],
    ) -> Vec<u8> {
        self.hacks(|client, now, _| client.rogue_group(now.wall, &room, packages, invites))
    }

    /// All that a member knows of an invite that is open.
    pub fn leaks_invite(&self, link: &Link) -> RogueInvite {
        self.hacks(|client, _, _| client.rogue_invite(link))
    }

    /// What somebody who only has a link makes up for the rest.
    pub fn forges_invite(&self, link: &Link) -> RogueInvite {
        let seed = self.world.scene().dice.seed();
        self.hacks(|client, _, _| Some(client.rogue_own_invite(seed, link)))
    }

    /// Puts a frame on the own connection.
    pub fn sends(&self, frame: ClientFrame) {
        let mut scene = self.world.scene();
        let conn = scene.machine(self.name).wires.get(&home()).copied();
        scene.send_up(conn.expect("there is a connection"), &Envelope::from(frame));
    }

    /// Gives a forged commit to the relay.
    pub fn sends_commit(&self, commit: &RogueCommit) {
        let id = MessageId(self.world.scene().dice.id());
        self.sends(ClientFrame::ChatSend(ChatSend {
            room: self.room(),
            id,
            kind: ChatKind::Commit,
            epoch: commit.epoch,
            adds: vec![],
            removes: vec![],
            body: commit.body.clone().into(),
        }));
    }

    /// Gives a forged message to the relay, under the epoch of a commit that
    /// could be made now.
    pub fn sends_message(&self, id: MessageId, body: Bytes) {
        let epoch = self.forges_commit(&Rogue::default()).epoch;
        let (room, kind) = (self.room(), ChatKind::Application);
        let (adds, removes) = (vec![], vec![]);
        let send = ChatSend {
            room,
            id,
            kind,
            epoch,
            adds,
            removes,
            body,
        };
        self.sends(ClientFrame::ChatSend(send));
    }

    /// The frame by which the relay would hand this person's message on.
    pub fn as_received(&self, seq: Seq, id: MessageId, kind: ChatKind, body: Bytes) -> ChatReceive {
        let (room, from, device) = (self.room(), self.user(), self.device());
        let at = self.world.scene().wall();
        ChatReceive {
            room,
            seq,
            id,
            from,
            device,
            kind,
            body,
            at,
        }
    }
}
