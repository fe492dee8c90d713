//! A relay on this computer and people with engines who meet over it.

use sotto_client::model::{Admission, ItemKind, MessageBody, Profile, Standing};
use sotto_client::{Change, Outcome, Request};
use sotto_engine::{
    Engine, Event, LinkStatus, NoKeyring, ProfileDir, Protection, Secret, create, new_message_id,
};
use sotto_relay::{Relay, hub::bucket::Rate};
use sotto_wire::{MessageId, RelayAddress, RoomId};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

pub type Failure = Box<dyn Error + Send + Sync>;

const HOUR: u64 = 60 * 60 * 1000;
/// Nothing happens for so long: something is stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// A relay with its database, and a home for everybody.
pub struct Town {
    relay: Relay,
    address: RelayAddress,
    home: tempfile::TempDir,
}

impl Town {
    pub async fn founded() -> Result<Self, Failure> {
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
        config.hub.ring_rate = unlimited;
        let relay = sotto_relay::start(config).await?;
        let address = format!("ws://{}", relay.address()).parse()?;
        Ok(Self {
            relay,
            address,
            home,
        })
    }

    /// Somebody new, connected to the relay.
    pub async fn welcomes(&self, name: &str) -> Result<Person, Failure> {
        let protection = Protection {
            keyring: false,
            passphrase: Some(Secret::new("only for this measurement".to_owned())),
        };
        let profile = Profile {
            name: name.to_owned(),
            ..Profile::default()
        };
        let dir = ProfileDir::new(self.home.path().join(name));
        let engine = create(&dir, Arc::new(NoKeyring), protection, profile).await?;
        let (_, events) = engine.subscribe().await;
        let mut person = Person { engine, events };
        person.asks(Request::AddRelay(self.address.clone())).await?;
        let up = LinkStatus::Connected;
        person
            .until(|event| {
                matches!(event, Event::Link { status, .. } if *status == up).then_some(())
            })
            .await?;
        Ok(person)
    }

    /// A room of the first of them, with all the others in it.
    pub async fn room_of(&self, people: &mut [Person]) -> Result<RoomId, Failure> {
        let [host, others @ ..] = people else {
            return Err("a room of nobody".into());
        };
        let request = Request::CreateRoom {
            relay: self.address.clone(),
            name: "Field notes".to_owned(),
            topic: String::new(),
            admission: Admission::AtOnce,
        };
        let Outcome::Room(room) = host.asks(request).await? else {
            return Err("no room was made".into());
        };
        host.is_in(room).await?;
        let valid_for = HOUR;
        let request = Request::CreateInvite { room, valid_for };
        let Outcome::Invite(invite) = host.asks(request).await? else {
            return Err("no link was made".into());
        };
        for other in others {
            let link = invite.link.clone();
            other.asks(Request::Join { link }).await?;
            other.is_in(room).await?;
        }
        Ok(room)
    }

    pub async fn ends(self) {
        self.relay.stop().await;
    }
}

/// Somebody with an engine.
pub struct Person {
    pub engine: Engine,
    pub events: Receiver<Event>,
}

impl Person {
    pub async fn asks(&self, request: Request) -> Result<Outcome, Failure> {
        Ok(self.engine.request(request).await?)
    }

    async fn is_in(&mut self, room: RoomId) -> Result<(), Failure> {
        self.until(|event| match event {
            Event::Client(Change::Room(view)) if view.id == room => {
                (view.standing == Standing::Member).then_some(())
            }
            _ => None,
        })
        .await
    }

    pub async fn says(&mut self, room: RoomId, text: &str) -> Result<MessageId, Failure> {
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

    pub async fn sees(&mut self, id: MessageId) -> Result<(), Failure> {
        self.until(|event| match event {
            Event::Client(Change::Item { item, .. }) => {
                let shown = matches!(item.kind, ItemKind::Message { .. });
                (item.id == id && shown).then_some(())
            }
            _ => None,
        })
        .await
    }

    pub async fn until<T>(
        &mut self,
        mut wanted: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T, Failure> {
        let wait = async {
            loop {
                match self.events.recv().await {
                    Some(event) => {
                        if let Some(found) = wanted(&event) {
                            return Ok(found);
                        }
                    }
                    None => return Err(Failure::from("the engine stopped")),
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await?
    }
}
