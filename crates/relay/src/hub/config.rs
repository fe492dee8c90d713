//! What an operator may choose about the hub, each with what raising it costs.

use super::bucket::Rate;
use sotto_wire::{Millis, limits};

const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;
const MIB: u64 = 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// Members of a room. Commits and Welcomes grow with it.
    pub members: usize,
    /// Longest time a room's backlog is kept. Raising it costs disk, and keeps
    /// ciphertext longer than most people expect.
    pub retention: Millis,
    /// Bytes of backlog of one room; the oldest goes first. Raising it costs
    /// disk.
    pub room_bytes: u64,
    /// A room without members is deleted after this time.
    pub empty_room: Millis,
    /// Rooms one account may be in. Raising it costs memory: about 1 KiB each.
    pub rooms_per_user: usize,
    /// Unanswered knocks of one room, and how long one waits.
    pub knocks_per_room: usize,
    pub knock_life: Millis,
    /// Knocks of one account. Raising it lets one stranger bother more rooms.
    pub knock_rate: Rate,
    /// Key packages one account may take. Raising it lets one stranger drain
    /// other people's one-time packages sooner.
    pub take_rate: Rate,
    /// Longest life of a direct message.
    pub direct_life: Millis,
    /// Unread direct messages of one account: count and bytes, and how many of
    /// them may be from one sender. Raising them costs disk.
    pub direct_count: usize,
    pub direct_bytes: u64,
    pub direct_per_sender: usize,
    /// How long a received direct message is remembered, to refuse its repeat.
    pub direct_memory: Millis,
    /// One-time key packages kept for a device; publishing more drops the
    /// oldest.
    pub keys_per_device: usize,
    /// Fewer one-time packages than this, and the device is told.
    pub keys_low: usize,
    /// Calls that run in one room at once.
    pub calls_per_room: usize,
    /// Ends of one call. Raising it costs a fan-out as wide at every change.
    pub call_participants: usize,
    /// A participant whose connection broke is gone after this time.
    pub call_grace: Millis,
    /// Calls one account may start. Raising it lets one member ring more often.
    pub ring_rate: Rate,
    /// Credentials for relayed calls that one account may take. Each holds for
    /// hours.
    pub turn_rate: Rate,
    /// A message that everyone has is kept this much longer, so that a sender
    /// who missed the ack still gets it.
    pub prune_grace: Millis,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            members: limits::MEMBERS,
            retention: 30 * DAY,
            room_bytes: 256 * MIB,
            empty_room: DAY,
            rooms_per_user: limits::ROOMS_PER_USER,
            knocks_per_room: 100,
            knock_life: 7 * DAY,
            knock_rate: Rate {
                burst: 20,
                every: MINUTE,
            },
            take_rate: Rate {
                burst: 60,
                every: 10_000,
            },
            direct_life: 30 * DAY,
            direct_count: 1_000,
            direct_bytes: 16 * MIB,
            direct_per_sender: 250,
            direct_memory: DAY,
            keys_per_device: limits::KEY_PACKAGES,
            keys_low: 5,
            calls_per_room: 8,
            call_participants: 32,
            call_grace: MINUTE,
            ring_rate: Rate {
                burst: 10,
                every: 10_000,
            },
            turn_rate: Rate {
                burst: 30,
                every: 30_000,
            },
            prune_grace: MINUTE,
        }
    }
}
