//! From send to shown: two engines, a relay with its database, loopback.

use sotto_bench::{Samples, Target, row};
use sotto_client::model::{Admission, ItemKind, MessageBody, Profile, Standing};
use sotto_client::{Change, Outcome, Request};
use sotto_engine::{
    Engine, Event, LinkStatus, NoKeyring, ProfileDir, Protection, Secret, create, new_message_id,
};
use sotto_relay::hub::bucket::Rate;
use sotto_wire::{MessageId, RelayAddress, RoomId};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::Receiver;

type Failure = Box<dyn Error>;

const MESSAGES: usize = 1000;
const HOUR: u64 = 60 * 60 * 1000;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // Another provider would only be chosen if somebody else was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let home = tempfile::tempdir()?;
    let mut config = sotto_relay::Config {
        bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        data: Some(home.path().join("relay")),
        ..sotto_relay::Config::default()
    };
    // The relay's speed is measured, not its patience.
    let unlimited = Rate {
        burst: 1_000_000,
        every: 1,
    };
    config.limits.account_rate = unlimited;
    config.limits.ip_rate = unlimited;
    let relay = sotto_relay::start(config).await?;
    let address: RelayAddress = format!("ws://{}", relay.address()).parse()?;

    let mut alice = Person::arrives("Alice", &home.path().join("alice"), &address).await?;
    let mut bob = Person::arrives("Bob", &home.path().join("bob"), &address).await?;
    let room = alice.opens_room(&address).await?;
    let link = alice.invites(room).await?;
    bob.joins(link).await?;

    let mut samples = Samples::default();
    for number in 0..MESSAGES {
        let begun = Instant::now();
        let id = alice.says(room, &format!("message {number}")).await?;
        bob.sees(id).await?;
        samples.add(begun.elapsed());
    }
    row(
        &format!("send → shown at the other engine, median of {MESSAGES}"),
        &format!("{:.1} ms", samples.median()),
        None,
    );
    let slowest = samples.at(0.99);
    let target = Target {
        words: "≤ 20 ms",
        met: slowest <= 20.0,
    };
    row(
        "send → shown at the other engine, p99",
        &format!("{slowest:.1} ms"),
        Some(target),
    );
    alice.engine.stop().await;
    bob.engine.stop().await;
    relay.stop().await;
    Ok(())
}

struct Person {
    engine: Engine,
    events: Receiver<Event>,
}

impl Person {
    async fn arrives(name: &str, folder: &Path, relay: &RelayAddress) -> Result<Self, Failure> {
        let protection = Protection {
            keyring: false,
            passphrase: Some(Secret::new("only for this measurement".to_owned())),
        };
        let profile = Profile {
            name: name.to_owned(),
            ..Profile::default()
        };
        let dir = ProfileDir::new(folder);
        let engine = create(&dir, Arc::new(NoKeyring), protection, profile).await?;
        let (_, events) = engine.subscribe().await;
        let mut person = Self { engine, events };
        person.asks(Request::AddRelay(relay.clone())).await?;
        person
            .until(|event| {
                let up = LinkStatus::Connected;
                matches!(event, Event::Link { status, .. } if *status == up)
            })
            .await?;
        Ok(person)
    }

    async fn asks(&self, request: Request) -> Result<Outcome, Failure> {
        Ok(self.engine.request(request).await?)
    }

    async fn opens_room(&mut self, relay: &RelayAddress) -> Result<RoomId, Failure> {
        let request = Request::CreateRoom {
            relay: relay.clone(),
            name: "Field notes".to_owned(),
            topic: String::new(),
            admission: Admission::AtOnce,
        };
        let Outcome::Room(room) = self.asks(request).await? else {
            return Err("no room was made".into());
        };
        self.is_in(room).await?;
        Ok(room)
    }

    async fn invites(&mut self, room: RoomId) -> Result<String, Failure> {
        let valid_for = HOUR;
        match self.asks(Request::CreateInvite { room, valid_for }).await? {
            Outcome::Invite(invite) => Ok(invite.link),
            _ => Err("no link was made".into()),
        }
    }

    async fn joins(&mut self, link: String) -> Result<(), Failure> {
        let Outcome::Room(room) = self.asks(Request::Join { link }).await? else {
            return Err("the link leads to no room".into());
        };
        self.is_in(room).await
    }

    async fn is_in(&mut self, room: RoomId) -> Result<(), Failure> {
        self.until(|event| match event {
            Event::Client(Change::Room(view)) => {
                view.id == room && view.standing == Standing::Member
            }
            _ => false,
        })
        .await
    }

    async fn says(&mut self, room: RoomId, text: &str) -> Result<MessageId, Failure> {
        let id = new_message_id();
        let body = MessageBody {
            text: text.to_owned(),
            reply_to: None,
        };
        self.asks(Request::Send { room, id, body }).await?;
        // Own events are not needed; a full queue would end the subscription.
        while self.events.try_recv().is_ok() {}
        Ok(id)
    }

    async fn sees(&mut self, id: MessageId) -> Result<(), Failure> {
        self.until(|event| match event {
            Event::Client(Change::Item { item, .. }) => {
                item.id == id && matches!(item.kind, ItemKind::Message { .. })
            }
            _ => false,
        })
        .await
    }

    async fn until(&mut self, mut wanted: impl FnMut(&Event) -> bool) -> Result<(), Failure> {
        loop {
            match self.events.recv().await {
                Some(event) if wanted(&event) => return Ok(()),
                Some(_) => {}
                None => return Err("the engine stopped".into()),
            }
        }
    }
}
