//! Leaving, deleting, and the end of a room.
//!
//! A leaver first says so inside MLS, so that the members know it is true, and
//! only then tells the relay. Whoever commits next takes the leaf away.

use super::{
    Cx, Room, authorize,
    content::{Content, Saying},
    record::Departure,
};
use crate::{api::RequestError, model::Standing, store::StoreError};
use sotto_wire::{ClientFrame, UserId};

impl Room {
    pub fn leave(&mut self, cx: &mut Cx<'_>) -> Result<Result<(), RequestError>, StoreError> {
        match self.record.standing {
            Standing::Member => {
                self.fail_all(cx)?;
                self.depart(cx, Standing::Left, Saying::Leave)?;
            }
            Standing::Lost | Standing::Knocking => {
                let joining = self.record.joining.clone();
                self.end(cx, Standing::Left)?;
                // The Welcome may be on its way; see `welcomed`.
                self.record.joining = joining;
                self.record.departure = Departure::Telling { delete: false };
                if cx.up {
                    self.tell_departure(cx, false);
                }
            }
            Standing::Denied | Standing::Creating => {
                self.end(cx, Standing::Left)?;
            }
            _ => return Ok(Err(RequestError::RoomOver)),
        }
        Ok(Ok(()))
    }

    pub fn delete(&mut self, cx: &mut Cx<'_>) -> Result<Result<(), RequestError>, StoreError> {
        if !self.is_member() {
            return Ok(Err(RequestError::RoomOver));
        }
        let me = cx.me.user();
        if self.host() != Some(me) {
            return Ok(Err(RequestError::NotHost));
        }
        self.fail_all(cx)?;
        self.depart(cx, Standing::Deleted { by: Some(me) }, Saying::Delete)?;
        Ok(Ok(()))
    }

    fn depart(
        &mut self,
        cx: &mut Cx<'_>,
        standing: Standing,
        saying: Saying,
    ) -> Result<(), StoreError> {
        let delete = saying == Saying::Delete;
        self.record.departure = Departure::Announcing { delete };
        self.record.standing = standing;
        self.record.wishes.clear();
        self.clear_knocks(cx)?;
        self.live.typing.clear();
        self.touch();
        if self.record.roster.len() <= 1 {
            return self.announced(cx, delete);
        }
        let id = cx.random_id();
        self.enqueue(Content {
            id,
            saying,
            seen: None,
        });
        Ok(())
    }

    /// The members know. Now the relay.
    pub(super) fn announced(&mut self, cx: &mut Cx<'_>, delete: bool) -> Result<(), StoreError> {
        if !matches!(self.record.departure, Departure::Announcing { .. }) {
            return Ok(());
        }
        self.record.departure = Departure::Telling { delete };
        if cx.up {
            self.tell_departure(cx, delete);
        }
        self.drop_group(cx)
    }

    pub(super) fn tell_departure(&self, cx: &mut Cx<'_>, delete: bool) {
        let room = self.id();
        if let Some(joining) = &self.record.joining {
            let knock = joining.knock;
            if joining.lost {
                self.send(cx, ClientFrame::RoomLeave { room });
            }
            return self.request(cx, ClientFrame::RoomDeny { room, knock });
        }
        if delete {
            return self.request(cx, ClientFrame::RoomDelete { room });
        }
        // The relay's host is who it takes orders from; leave it the same one
        // that the members will agree on.
        let seats = self.seats();
        let mut leaving = self.record.leaving.clone();
        leaving.insert(cx.me.user());
        let was_host = self.host() == Some(cx.me.user());
        let next = self.record.state.as_ref().and_then(|state| {
            authorize::host(&authorize::Before {
                state,
                seats: &seats,
                leaving: &leaving,
            })
        });
        if let Some(to) = next.filter(|_| was_host) {
            self.send(cx, ClientFrame::HostTransfer { room, to });
        }
        self.request(cx, ClientFrame::RoomLeave { room });
    }

    /// The relay knows too.
    pub fn departed(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        if self.record.departure != Departure::None {
            self.record.departure = Departure::None;
            self.drop_group(cx)?;
        }
        Ok(())
    }

    /// The room is over for this client. History stays.
    pub(super) fn end(&mut self, cx: &mut Cx<'_>, standing: Standing) -> Result<(), StoreError> {
        self.record.standing = standing;
        self.record.joining = None;
        self.record.departure = Departure::None;
        self.fail_all(cx)?;
        self.drop_group(cx)
    }

    pub fn remove(&mut self, cx: &mut Cx<'_>, user: UserId) -> Result<(), RequestError> {
        self.check_host(cx)?;
        if user == cx.me.user() || self.record.member(&user).is_none() {
            return Err(RequestError::UnknownPerson);
        }
        self.wish(super::record::Wish::Remove { user });
        Ok(())
    }

    pub fn make_host(&mut self, cx: &mut Cx<'_>, user: UserId) -> Result<(), RequestError> {
        self.check_host(cx)?;
        if self.record.member(&user).is_none() || self.record.leaving.contains(&user) {
            return Err(RequestError::UnknownPerson);
        }
        self.wish(super::record::Wish::MakeHost { user });
        Ok(())
    }

    pub(super) fn check_host(&self, cx: &Cx<'_>) -> Result<(), RequestError> {
        if !self.is_member() {
            Err(RequestError::RoomOver)
        } else if self.host() != Some(cx.me.user()) {
            Err(RequestError::NotHost)
        } else {
            Ok(())
        }
    }
}
