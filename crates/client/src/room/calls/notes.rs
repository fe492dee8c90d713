//! What a timeline says about calls.

use crate::{
    api::Effect,
    call::ledger::Running,
    model::{CallOutcome, Item, ItemKind, SystemLine},
    room::{Cx, Room, timeline::At},
    store::StoreError,
};
use sotto_wire::Millis;

impl Room {
    pub(super) fn note_began(&mut self, cx: &mut Cx<'_>, at: &mut At) -> Result<(), StoreError> {
        let Some((by, video)) = self.desk.ledger.running.as_ref().map(|r| (r.by, r.video)) else {
            return Ok(());
        };
        let by = self.actor(by);
        let item = self.line(cx, at, SystemLine::CallStarted { by, video });
        if let Some(running) = &mut self.desk.ledger.running {
            running.line = Some(item.id);
        }
        self.write_item(cx, item, false)
    }

    pub(super) fn note_ended(
        &mut self,
        cx: &mut Cx<'_>,
        at: &mut At,
        running: &Running,
        time: Millis,
    ) -> Result<(), StoreError> {
        let end = running.outcome(cx.me.user());
        let (by, video, lasted) = (self.actor(running.by), running.video, running.lasted(time));
        // One line is enough for a call that came to nothing.
        if let (0, Some(line)) = (lasted, running.line) {
            self.unsay(cx, &line)?;
        }
        let line = SystemLine::CallEnded {
            by,
            video,
            lasted,
            end,
        };
        let item = self.line(cx, at, line);
        let (id, missed) = (item.id, end == CallOutcome::Missed);
        self.write_item(cx, item, missed)?;
        if missed {
            self.record.unread += 1;
            if !self.record.prefs.muted && self.is_member() {
                let room = self.record.id;
                cx.out.push(Effect::Notify { room, item: id });
            }
        }
        Ok(())
    }

    pub(super) fn line(&mut self, cx: &mut Cx<'_>, at: &mut At, line: SystemLine) -> Item {
        self.record.active_at = self.record.active_at.max(at.time());
        self.touch();
        Item {
            id: cx.random_id(),
            position: at.next(),
            at: at.time(),
            kind: ItemKind::System(line),
        }
    }
}
