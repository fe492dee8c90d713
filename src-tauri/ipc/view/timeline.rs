//! Timelines: messages with their Markdown parsed, system lines, gaps.

use super::Admission;
use crate::ipc::{
    error::{ErrorCode, UiError},
    markdown::{self, Block},
    number::Num,
};
use serde::{Deserialize, Serialize};
use sotto_client::{model, store};
use specta::Type;

/// A stretch of a timeline, oldest first.
#[derive(Debug, Clone, Serialize, Type)]
pub struct Page {
    pub items: Vec<Item>,
    /// Whether there is anything before the first.
    pub more: bool,
}

impl From<model::Page> for Page {
    fn from(page: model::Page) -> Self {
        Self {
            items: page.items.into_iter().map(Item::from).collect(),
            more: page.more,
        }
    }
}

#[derive(Debug, Clone, Serialize, Type)]
pub struct Item {
    pub id: String,
    /// Orders the timeline.
    pub position: Num,
    /// Its place in the room's order; null while it waits to be accepted.
    pub seq: Option<Num>,
    pub at: Num,
    pub kind: ItemKind,
}

impl From<model::Item> for Item {
    fn from(item: model::Item) -> Self {
        Self {
            id: item.id.to_string(),
            position: item.position.into(),
            seq: store::seq_of(item.position).map(Num::from),
            at: item.at.into(),
            kind: item.kind.into(),
        }
    }
}

#[derive(Debug, Clone, Serialize, Type)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ItemKind {
    Message {
        from: String,
        /// The sender's name when it was written.
        name: String,
        /// As it was written, for copying.
        text: String,
        blocks: Vec<Block>,
        reply_to: Option<Quote>,
        delivery: Delivery,
    },
    System {
        line: SystemLine,
    },
    /// Messages that are missing for good; 0 where nobody can say how many.
    Gap {
        count: Num,
        why: GapWhy,
    },
}

impl From<model::ItemKind> for ItemKind {
    fn from(kind: model::ItemKind) -> Self {
        match kind {
            model::ItemKind::Message {
                from,
                name,
                body,
                delivery,
            } => Self::Message {
                from: from.to_string(),
                name,
                blocks: markdown::parse(&body.text),
                text: body.text,
                reply_to: body.reply_to.map(Quote::from),
                delivery: delivery.into(),
            },
            model::ItemKind::System(line) => Self::System { line: line.into() },
            model::ItemKind::Gap { count, why } => Self::Gap {
                count: count.into(),
                why: why.into(),
            },
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Delivery {
    Pending,
    Accepted,
    Failed,
}

impl From<model::Delivery> for Delivery {
    fn from(delivery: model::Delivery) -> Self {
        match delivery {
            model::Delivery::Pending => Self::Pending,
            model::Delivery::Accepted => Self::Accepted,
            model::Delivery::Failed => Self::Failed,
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum GapWhy {
    /// The relay no longer keeps them.
    Expired,
    /// It could not be decrypted or authenticated.
    Unreadable,
    /// The relay shows people different orders.
    SplitView,
}

impl From<model::GapWhy> for GapWhy {
    fn from(why: model::GapWhy) -> Self {
        match why {
            model::GapWhy::Expired => Self::Expired,
            model::GapWhy::Unreadable => Self::Unreadable,
            model::GapWhy::SplitView => Self::SplitView,
        }
    }
}

/// The message that is answered.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Quote {
    pub id: String,
    pub from: String,
    pub name: String,
    pub text: String,
}

impl From<model::Quote> for Quote {
    fn from(quote: model::Quote) -> Self {
        Self {
            id: quote.id.to_string(),
            from: quote.from.to_string(),
            name: quote.name,
            text: quote.text,
        }
    }
}

impl TryFrom<Quote> for model::Quote {
    type Error = UiError;

    fn try_from(quote: Quote) -> Result<Self, UiError> {
        Ok(Self {
            id: quote.id.parse().map_err(|_| ErrorCode::UnknownMessage)?,
            from: quote.from.parse().map_err(|_| ErrorCode::UnknownPerson)?,
            name: quote.name,
            text: quote.text,
        })
    }
}

/// A person at the time of an event.
#[derive(Debug, Clone, Serialize, Type)]
pub struct Actor {
    pub user: String,
    pub name: String,
}

impl From<model::Actor> for Actor {
    fn from(actor: model::Actor) -> Self {
        Self {
            user: actor.user.to_string(),
            name: actor.name,
        }
    }
}

/// What happened in a room.
#[derive(Debug, Clone, Serialize, Type)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum SystemLine {
    Created {
        by: Actor,
    },
    Joined {
        who: Actor,
        by: Actor,
    },
    YouJoined {
        by: Actor,
    },
    Left {
        who: Actor,
    },
    Removed {
        who: Actor,
        by: Actor,
    },
    HostChanged {
        host: Actor,
    },
    Renamed {
        by: Actor,
        name: String,
    },
    TopicChanged {
        by: Actor,
        topic: String,
    },
    AdmissionChanged {
        by: Actor,
        admission: Admission,
    },
    Deleted {
        by: Option<Actor>,
    },
    Refused {
        by: Actor,
    },
    ProfileChanged {
        who: Actor,
        before: String,
    },
    CallStarted {
        by: Actor,
        video: bool,
    },
    /// `lasted`: milliseconds since somebody came; 0 if nobody did.
    CallEnded {
        by: Actor,
        video: bool,
        lasted: Num,
        end: CallOutcome,
    },
}

/// What came of a call, for the one whose timeline it is.
#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum CallOutcome {
    Ended,
    Unanswered,
    Declined,
    Missed,
}

impl From<model::CallOutcome> for CallOutcome {
    fn from(outcome: model::CallOutcome) -> Self {
        match outcome {
            model::CallOutcome::Ended => Self::Ended,
            model::CallOutcome::Unanswered => Self::Unanswered,
            model::CallOutcome::Declined => Self::Declined,
            model::CallOutcome::Missed => Self::Missed,
        }
    }
}

impl From<model::SystemLine> for SystemLine {
    fn from(line: model::SystemLine) -> Self {
        use model::SystemLine as L;
        match line {
            L::Created { by } => Self::Created { by: by.into() },
            L::Joined { who, by } => Self::Joined {
                who: who.into(),
                by: by.into(),
            },
            L::YouJoined { by } => Self::YouJoined { by: by.into() },
            L::Left { who } => Self::Left { who: who.into() },
            L::Removed { who, by } => Self::Removed {
                who: who.into(),
                by: by.into(),
            },
            L::HostChanged { host } => Self::HostChanged { host: host.into() },
            L::Renamed { by, name } => Self::Renamed {
                by: by.into(),
                name,
            },
            L::TopicChanged { by, topic } => Self::TopicChanged {
                by: by.into(),
                topic,
            },
            L::AdmissionChanged { by, admission } => Self::AdmissionChanged {
                by: by.into(),
                admission: admission.into(),
            },
            L::Deleted { by } => Self::Deleted {
                by: by.map(Actor::from),
            },
            L::Refused { by } => Self::Refused { by: by.into() },
            L::ProfileChanged { who, before } => Self::ProfileChanged {
                who: who.into(),
                before,
            },
            L::CallStarted { by, video } => Self::CallStarted {
                by: by.into(),
                video,
            },
            L::CallEnded {
                by,
                video,
                lasted,
                end,
            } => Self::CallEnded {
                by: by.into(),
                video,
                lasted: lasted.into(),
                end: end.into(),
            },
        }
    }
}
