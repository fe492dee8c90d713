//! What people see, and what they must see.

use super::Actor;
use sotto_client::{
    Change, Client, Txn as _, Why,
    model::{
        Delivery, GapWhy, Invite, Item, ItemKind, Knock, Person, RoomView, Standing, SystemLine,
    },
    store::Space,
};
use sotto_wire::{MessageId, RelayAddress, RoomId};

impl Actor {
    pub fn view(&self) -> RoomView {
        let room = self.room();
        let mut scene = self.world.scene();
        let client = scene
            .machine(self.name)
            .client
            .as_ref()
            .expect("the process runs");
        client
            .room(&room)
            .unwrap_or_else(|| panic!("{} has no such room", self.name))
    }

    pub fn has_room(&self) -> bool {
        let room = self.room();
        let mut scene = self.world.scene();
        scene
            .machine(self.name)
            .client
            .as_ref()
            .is_some_and(|c| c.room(&room).is_some())
    }

    pub fn standing(&self) -> Standing {
        self.view().standing
    }

    pub fn is_member(&self) -> bool {
        self.standing() == Standing::Member
    }

    pub fn people(&self) -> Vec<Person> {
        let room = self.room();
        let mut scene = self.world.scene();
        scene
            .machine(self.name)
            .client
            .as_ref()
            .map(|c| c.people(&room))
            .unwrap_or_default()
    }

    /// Names of the members, sorted.
    pub fn member_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.people().into_iter().map(|p| p.profile.name).collect();
        names.sort();
        names
    }

    pub fn person(&self, who: &Self) -> Person {
        let user = who.user();
        let found = self.people().into_iter().find(|p| p.user == user);
        found.unwrap_or_else(|| panic!("{} does not see {} in the room", self.name, who.name))
    }

    pub fn sees_host(&self, who: &Self) {
        assert_eq!(
            self.view().host,
            Some(who.user()),
            "host, as {} sees it",
            self.name
        );
    }

    pub fn knocks(&self) -> Vec<Knock> {
        let room = self.room();
        let mut scene = self.world.scene();
        let machine = scene.machine(self.name);
        let txn = machine.store.begin();
        let client = machine.client.as_ref().expect("the process runs");
        client.knocks(&txn, &room).expect("the store can be read")
    }

    pub fn invitations(&self) -> Vec<Invite> {
        let room = self.room();
        let mut scene = self.world.scene();
        scene
            .machine(self.name)
            .client
            .as_ref()
            .map(|c| c.invites(&room))
            .unwrap_or_default()
    }

    pub fn timeline(&self) -> Vec<Item> {
        let room = self.room();
        let mut scene = self.world.scene();
        let machine = scene.machine(self.name);
        let txn = machine.store.begin();
        let client = machine.client.as_ref().expect("the process runs");
        client
            .timeline(&txn, &room, None, 100_000)
            .expect("the store can be read")
            .items
    }

    /// All texts in order, own ones that are not accepted with a mark.
    pub fn texts(&self) -> Vec<String> {
        let text = |item: Item| match item.kind {
            ItemKind::Message { body, delivery, .. } => Some(match delivery {
                Delivery::Accepted => body.text,
                Delivery::Pending => format!("{} (pending)", body.text),
                Delivery::Failed => format!("{} (failed)", body.text),
            }),
            _ => None,
        };
        self.timeline().into_iter().filter_map(text).collect()
    }

    /// Exactly these texts, in this order.
    pub fn reads_only(&self, texts: &[&str]) {
        assert_eq!(self.texts(), texts, "what {} reads", self.name);
    }

    pub fn reads(&self, text: &str) {
        let texts = self.texts();
        let count = texts.iter().filter(|t| *t == text).count();
        assert_eq!(
            count, 1,
            "{} reads {text:?} {count} times in {texts:?}",
            self.name
        );
    }

    pub fn never_reads(&self, text: &str) {
        let texts = self.texts();
        assert!(
            !texts.iter().any(|t| t.contains(text)),
            "{} reads {text:?}",
            self.name
        );
    }

    pub fn delivery(&self, id: MessageId) -> Option<Delivery> {
        self.timeline()
            .into_iter()
            .find(|item| item.id == id)
            .and_then(|item| match item.kind {
                ItemKind::Message { delivery, .. } => Some(delivery),
                _ => None,
            })
    }

    pub fn lines(&self) -> Vec<SystemLine> {
        let line = |item: Item| match item.kind {
            ItemKind::System(line) => Some(line),
            _ => None,
        };
        self.timeline().into_iter().filter_map(line).collect()
    }

    /// How many messages are shown as missing.
    pub fn gaps(&self) -> u64 {
        let gap = |item: Item| match item.kind {
            ItemKind::Gap { count, .. } => Some(count),
            _ => None,
        };
        self.timeline().into_iter().filter_map(gap).sum()
    }

    /// How often this person is told that the relay shows people different
    /// orders.
    pub fn splits(&self) -> usize {
        let split = |item: &Item| {
            let why = GapWhy::SplitView;
            item.kind == ItemKind::Gap { count: 0, why }
        };
        self.timeline().iter().filter(|item| split(item)).count()
    }

    pub fn sees_typing(&self, who: &Self) -> bool {
        let (room, user) = (self.room(), who.user());
        let mut scene = self.world.scene();
        scene
            .machine(self.name)
            .typing
            .get(&room)
            .is_some_and(|users| users.contains(&user))
    }

    /// What this person's client refused so far.
    pub fn rejected(&self) -> Vec<Why> {
        let mut scene = self.world.scene();
        scene
            .machine(self.name)
            .rejects
            .iter()
            .map(|r| r.why)
            .collect()
    }

    pub fn forgets_rejected(&self) {
        self.world.scene().machine(self.name).rejects.clear();
    }

    /// Nothing was refused: nobody did anything odd.
    pub fn rejected_nothing(&self) {
        let rejected = self.rejected();
        assert!(rejected.is_empty(), "{} refused {rejected:?}", self.name);
    }

    /// The relays this person keeps connections to.
    pub fn relays(&self) -> Vec<RelayAddress> {
        let mut scene = self.world.scene();
        scene
            .machine(self.name)
            .client
            .as_ref()
            .map(Client::relays)
            .unwrap_or_default()
    }

    /// How many records on disk belong to a room, or hold its id.
    pub fn records_of(&self, room: RoomId) -> usize {
        let mut scene = self.world.scene();
        let machine = scene.machine(self.name);
        let txn = machine.store.begin();
        let holds = |bytes: &[u8]| bytes.windows(RoomId::SIZE).any(|w| w == room.as_bytes());
        let of_it = |space: &Space| {
            let all = txn.scan(*space, b"").expect("the store can be read");
            all.into_iter()
                .filter(|(key, value)| holds(key) || holds(value))
                .count()
        };
        let rows = txn
            .rows(&room, None, 10_000)
            .expect("the store can be read")
            .len();
        Space::ALL.iter().map(of_it).sum::<usize>() + rows
    }

    pub fn changes(&self) -> Vec<Change> {
        self.world.scene().machine(self.name).changes.clone()
    }

    /// How many desktop notifications came up.
    pub fn notifications(&self) -> usize {
        self.world.scene().machine(self.name).notified.len()
    }
}
