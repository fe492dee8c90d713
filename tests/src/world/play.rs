//! What people do, in the words of a play.

use super::{Who, World, home};
use sotto_client::{
    Outcome, Request, RequestError,
    model::{Admission, MessageBody, Profile, RoomPrefs},
};
use sotto_wire::{MessageId, Millis, RelayAddress, RoomId, UserId};

const HOUR: Millis = 60 * 60 * 1000;

/// A person in a world.
#[derive(Clone)]
pub struct Actor {
    pub(super) world: World,
    pub(super) name: Who,
}

impl Actor {
    pub(super) fn new(world: World, name: Who) -> Self {
        Self { world, name }
    }

    pub fn name(&self) -> Who {
        self.name
    }

    pub fn user(&self) -> UserId {
        self.world.scene().machine(self.name).user
    }

    /// The room on this person's screen.
    pub fn room(&self) -> RoomId {
        self.world
            .scene()
            .machine(self.name)
            .room
            .expect("a room was made or joined before")
    }

    pub fn looks_at(&self, room: RoomId) -> &Self {
        self.world.scene().machine(self.name).room = Some(room);
        self
    }

    pub fn asks(&self, request: Request) -> Result<Outcome, RequestError> {
        self.tries(request).expect("the process lives")
    }

    /// `None` if the process died over it.
    pub fn tries(&self, request: Request) -> Option<Result<Outcome, RequestError>> {
        self.world.scene().ask(self.name, request)
    }

    fn does(&self, request: Request) -> Outcome {
        let what = format!("{} asks for {request:?}", self.name);
        self.asks(request)
            .unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    pub fn creates(&self, name: &str) -> RoomId {
        self.creates_at(home(), name, Admission::AtOnce)
    }

    /// A room whose host says yes or no to everybody who knocks.
    pub fn creates_guarded(&self, name: &str) -> RoomId {
        self.creates_at(home(), name, Admission::ByHost)
    }

    pub fn creates_at(&self, relay: RelayAddress, name: &str, admission: Admission) -> RoomId {
        let (name, topic) = (name.to_owned(), String::new());
        match self.does(Request::CreateRoom {
            relay,
            name,
            topic,
            admission,
        }) {
            Outcome::Room(room) => {
                self.looks_at(room);
                room
            }
            other => panic!("a new room was answered with {other:?}"),
        }
    }

    pub fn invites(&self) -> String {
        self.invites_for(HOUR)
    }

    pub fn invites_for(&self, valid_for: Millis) -> String {
        match self.does(Request::CreateInvite {
            room: self.room(),
            valid_for,
        }) {
            Outcome::Invite(invite) => invite.link,
            other => panic!("a new invite was answered with {other:?}"),
        }
    }

    pub fn joins(&self, link: &str) -> RoomId {
        match self.does(Request::Join {
            link: link.to_owned(),
        }) {
            Outcome::Room(room) => {
                self.looks_at(room);
                room
            }
            other => panic!("a join was answered with {other:?}"),
        }
    }

    pub fn lets_in(&self, who: &Self) {
        self.answers_knock(who, true);
    }

    pub fn turns_down(&self, who: &Self) {
        self.answers_knock(who, false);
    }

    fn answers_knock(&self, who: &Self, admit: bool) {
        let user = who.user();
        let knocks = self.knocks();
        let knock = knocks.iter().find(|k| k.user == user);
        let knock =
            knock.unwrap_or_else(|| panic!("{} does not knock at {}'s", who.name, self.name));
        self.does(Request::AnswerKnock {
            room: self.room(),
            knock: knock.id,
            admit,
        });
    }

    pub fn revokes_all_invites(&self) {
        for invite in self.invitations() {
            self.does(Request::RevokeInvite {
                room: self.room(),
                invite: invite.id,
            });
        }
    }

    pub fn revokes_own_invites(&self) {
        let me = self.user();
        for invite in self
            .invitations()
            .into_iter()
            .filter(|invite| invite.by == me)
        {
            self.does(Request::RevokeInvite {
                room: self.room(),
                invite: invite.id,
            });
        }
    }

    pub fn says(&self, text: &str) -> MessageId {
        let id = MessageId(self.world.scene().dice.id());
        let body = MessageBody {
            text: text.to_owned(),
            reply_to: None,
        };
        self.does(Request::Send {
            room: self.room(),
            id,
            body,
        });
        id
    }

    pub fn types(&self) {
        self.does(Request::Typing {
            room: self.room(),
            on: true,
        });
    }

    pub fn stops_typing(&self) {
        self.does(Request::Typing {
            room: self.room(),
            on: false,
        });
    }

    /// Sees everything that there is.
    pub fn catches_up(&self) {
        let position = self.timeline().last().map_or(0, |item| item.position);
        self.does(Request::MarkRead {
            room: self.room(),
            position,
        });
    }

    pub fn renames_room(&self, name: &str) {
        let view = self.view();
        let (name, topic, admission) = (name.to_owned(), view.topic, view.admission);
        self.does(Request::ChangeRoom {
            room: view.id,
            name,
            topic,
            admission,
        });
    }

    pub fn sets_topic(&self, topic: &str) {
        let view = self.view();
        let (name, topic, admission) = (view.name, topic.to_owned(), view.admission);
        self.does(Request::ChangeRoom {
            room: view.id,
            name,
            topic,
            admission,
        });
    }

    pub fn sets_admission(&self, admission: Admission) {
        let view = self.view();
        let (name, topic) = (view.name, view.topic);
        self.does(Request::ChangeRoom {
            room: view.id,
            name,
            topic,
            admission,
        });
    }

    pub fn calls_themselves(&self, name: &str) {
        self.does(Request::SetProfile(Profile {
            name: name.to_owned(),
            ..Profile::default()
        }));
    }

    pub fn removes(&self, who: &Self) {
        self.does(Request::Remove {
            room: self.room(),
            user: who.user(),
        });
    }

    pub fn makes_host(&self, who: &Self) {
        self.does(Request::MakeHost {
            room: self.room(),
            user: who.user(),
        });
    }

    pub fn leaves(&self) {
        self.does(Request::Leave(self.room()));
    }

    pub fn deletes_room(&self) {
        self.does(Request::Delete(self.room()));
    }

    pub fn forgets_room(&self) {
        self.does(Request::Forget(self.room()));
    }

    pub fn drafts(&self, text: &str) {
        self.does(Request::SetDraft {
            room: self.room(),
            text: text.to_owned(),
        });
    }

    pub fn prefers(&self, prefs: RoomPrefs) {
        self.does(Request::SetPrefs {
            room: self.room(),
            prefs,
        });
    }

    pub fn verifies(&self, who: &Self) {
        self.does(Request::SetVerified {
            user: who.user(),
            verified: true,
        });
    }

    pub fn goes_offline(&self) {
        let mut scene = self.world.scene();
        scene.machine(self.name).online = false;
        let conns: Vec<_> = scene.machine(self.name).wires.values().copied().collect();
        conns.into_iter().for_each(|conn| scene.cut(conn));
    }

    pub fn comes_back(&self) {
        let mut scene = self.world.scene();
        scene.machine(self.name).online = true;
        scene.connect(self.name);
    }

    /// The process is killed, and is started again at [`Self::starts`].
    pub fn is_killed(&self) {
        self.world.scene().stop(self.name);
    }

    pub fn starts(&self) {
        self.world.scene().boot(self.name);
    }

    pub fn restarts(&self) {
        self.is_killed();
        self.starts();
    }

    /// A copy of everything on disk.
    pub fn backup(&self) -> sotto_client::store::memory::MemoryStore {
        self.world.scene().machine(self.name).store.clone()
    }

    /// The disk is what it was when the copy was made; the process starts from
    /// it.
    pub fn restores(&self, copy: &sotto_client::store::memory::MemoryStore) {
        self.is_killed();
        self.world.scene().machine(self.name).store = copy.clone();
        self.starts();
    }
}
