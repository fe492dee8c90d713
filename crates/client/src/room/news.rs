//! What a timeline says about a commit: who came, who went, what changed.

use super::{
    Cx, Room,
    authorize::{Added, Facts},
    record::Record,
    timeline::At,
};
use crate::{
    model::{Actor, SystemLine},
    store::StoreError,
};
use sotto_wire::UserId;

impl Room {
    pub(super) fn report(
        &mut self,
        cx: &mut Cx<'_>,
        at: &mut At,
        by: UserId,
        facts: &Facts,
        before: &Record,
    ) -> Result<(), StoreError> {
        let by = self.actor(by);
        for leaf in &facts.removes {
            let Some(gone) = before.at_leaf(*leaf) else {
                continue;
            };
            let stays = self.record.member(&gone.user).is_some();
            if !stays && !before.leaving.contains(&gone.user) {
                let who = Actor {
                    user: gone.user,
                    name: gone.profile.name.clone(),
                };
                self.say(
                    cx,
                    at,
                    SystemLine::Removed {
                        who,
                        by: by.clone(),
                    },
                )?;
            }
        }
        for added in &facts.adds {
            if let Added::Sound { vouched, .. } = added {
                let who = self.actor(vouched.user);
                self.say(
                    cx,
                    at,
                    SystemLine::Joined {
                        who,
                        by: by.clone(),
                    },
                )?;
            }
        }
        let old_name = before.member(&by.user).map(|m| m.profile.name.clone());
        if let Some(old) = old_name.filter(|old| *old != by.name) {
            self.say(
                cx,
                at,
                SystemLine::ProfileChanged {
                    who: by.clone(),
                    before: old,
                },
            )?;
        }
        let (Some(old), Some(new)) = (before.state.clone(), self.record.state.clone()) else {
            return Ok(());
        };
        if old.name != new.name {
            let name = new.name.clone();
            self.say(
                cx,
                at,
                SystemLine::Renamed {
                    by: by.clone(),
                    name,
                },
            )?;
        }
        if old.topic != new.topic {
            let topic = new.topic.clone();
            self.say(
                cx,
                at,
                SystemLine::TopicChanged {
                    by: by.clone(),
                    topic,
                },
            )?;
        }
        if old.admission != new.admission {
            let admission = new.admission;
            self.say(
                cx,
                at,
                SystemLine::AdmissionChanged {
                    by: by.clone(),
                    admission,
                },
            )?;
        }
        if old.host != new.host {
            let host = self.actor(new.host);
            self.say(cx, at, SystemLine::HostChanged { host })?;
        }
        Ok(())
    }
}
