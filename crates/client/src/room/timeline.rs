//! Writing the timeline: messages, lines about what happened, gaps.

use super::{Cx, Room};
use crate::{
    api::{Change, Effect},
    model::{Actor, Delivery, GapWhy, Item, ItemKind, LastLine, MessageBody, Standing, SystemLine},
    store::{Row, StoreError, pending_position, position},
};
use sotto_wire::{MessageId, Millis, Seq, UserId};

/// The last time that JavaScript can hold.
const TIME_MAX: Millis = 1 << 53;
/// Longest text in a room list.
const PREVIEW: usize = 120;
/// No commit says so much.
const LATE_LINE: u16 = 1_000;

/// Where and when something happened in the room's order. Lines of one seq
/// count up.
pub(super) struct At {
    seq: Seq,
    line: u16,
    time: Millis,
}

impl At {
    pub fn new(seq: Seq, time: Millis) -> Self {
        let time = time.min(TIME_MAX);
        Self { seq, line: 0, time }
    }

    /// After everything that a commit at this place said.
    pub fn late(seq: Seq, time: Millis) -> Self {
        let line = LATE_LINE;
        Self {
            line,
            ..Self::new(seq, time)
        }
    }

    pub fn time(&self) -> Millis {
        self.time
    }

    pub fn next(&mut self) -> u64 {
        let position = position(self.seq, self.line);
        self.line += 1;
        position
    }
}

impl Room {
    pub(crate) fn actor(&self, user: UserId) -> Actor {
        Actor {
            user,
            name: self.record.name_of(&user),
        }
    }

    pub(super) fn say(
        &mut self,
        cx: &mut Cx<'_>,
        at: &mut At,
        line: SystemLine,
    ) -> Result<(), StoreError> {
        let item = Item {
            id: cx.random_id(),
            position: at.next(),
            at: at.time,
            kind: ItemKind::System(line),
        };
        self.record.active_at = self.record.active_at.max(at.time);
        self.touch();
        self.write_item(cx, item, false)
    }

    pub(super) fn say_gap(
        &mut self,
        cx: &mut Cx<'_>,
        at: &mut At,
        count: u64,
        why: GapWhy,
    ) -> Result<(), StoreError> {
        let kind = ItemKind::Gap { count, why };
        let item = Item {
            id: cx.random_id(),
            position: at.next(),
            at: at.time,
            kind,
        };
        self.touch();
        self.write_item(cx, item, false)
    }

    /// A message of somebody else.
    pub(super) fn hear(
        &mut self,
        cx: &mut Cx<'_>,
        at: &mut At,
        id: MessageId,
        from: UserId,
        body: MessageBody,
    ) -> Result<(), StoreError> {
        let name = self.record.name_of(&from);
        self.record.newest_heard = at.seq;
        // A place that was not taken yet lies behind everything that was read.
        self.record.unread += 1;
        self.set_last(from, &name, &body.text, at.time);
        let kind = ItemKind::Message {
            from,
            name,
            body,
            delivery: Delivery::Accepted,
        };
        self.write_item(
            cx,
            Item {
                id,
                position: at.next(),
                at: at.time,
                kind,
            },
            true,
        )?;
        if !self.record.prefs.muted && self.record.standing == Standing::Member {
            cx.out.push(Effect::Notify {
                room: self.id(),
                item: id,
            });
        }
        Ok(())
    }

    /// An own message that the relay has accepted.
    pub(super) fn note_accepted(
        &mut self,
        cx: &mut Cx<'_>,
        at: &mut At,
        id: MessageId,
        body: MessageBody,
    ) -> Result<(), StoreError> {
        let (from, name) = (cx.me.user(), cx.me.profile.name.clone());
        self.set_last(from, &name, &body.text, at.time);
        let kind = ItemKind::Message {
            from,
            name,
            body,
            delivery: Delivery::Accepted,
        };
        self.write_item(
            cx,
            Item {
                id,
                position: at.next(),
                at: at.time,
                kind,
            },
            false,
        )
    }

    /// An own message that waits, or that was refused.
    pub(super) fn note_waiting(
        &mut self,
        cx: &mut Cx<'_>,
        order: u64,
        id: MessageId,
        body: MessageBody,
        delivery: Delivery,
    ) -> Result<(), StoreError> {
        let (from, name, at) = (cx.me.user(), cx.me.profile.name.clone(), cx.now.wall);
        self.set_last(from, &name, &body.text, at);
        let kind = ItemKind::Message {
            from,
            name,
            body,
            delivery,
        };
        self.write_item(
            cx,
            Item {
                id,
                position: pending_position(order),
                at,
                kind,
            },
            false,
        )
    }

    pub(super) fn unsay(&mut self, cx: &mut Cx<'_>, id: &MessageId) -> Result<(), StoreError> {
        cx.txn.delete_row(&self.record.id, id)?;
        cx.show(Change::ItemGone {
            room: self.record.id,
            id: *id,
        });
        Ok(())
    }

    fn set_last(&mut self, from: UserId, name: &str, text: &str, at: Millis) {
        let text = text
            .chars()
            .take(PREVIEW)
            .map(|c| if c == '\n' { ' ' } else { c })
            .collect();
        self.record.last = Some(LastLine {
            from: Some(from),
            name: name.to_owned(),
            text,
            at,
        });
        self.record.active_at = self.record.active_at.max(at);
        self.touch();
    }

    pub(super) fn write_item(
        &self,
        cx: &mut Cx<'_>,
        item: Item,
        counts: bool,
    ) -> Result<(), StoreError> {
        cx.txn.put_row(&Row {
            room: self.record.id,
            position: item.position,
            id: item.id,
            counts,
            item: serde_json::to_vec(&item).expect("an item is plain data"),
        })?;
        cx.show(Change::Item {
            room: self.record.id,
            item: Box::new(item),
        });
        Ok(())
    }
}
