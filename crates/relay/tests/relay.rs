//! The relay over real sockets, on free ports. Everything waits on events,
//! never on time passing.

#[path = "relay/binary.rs"]
mod binary;
#[path = "relay/caller.rs"]
mod caller;
#[path = "relay/doors.rs"]
mod doors;
#[path = "relay/frames.rs"]
mod frames;
#[path = "relay/lasting.rs"]
mod lasting;
#[path = "relay/limits.rs"]
mod limits;
#[path = "relay/siege.rs"]
mod siege;
#[path = "relay/signing_in.rs"]
mod signing_in;
#[path = "relay/tunnel.rs"]
mod tunnel;
#[path = "relay/turn.rs"]
mod turn;
#[path = "relay/world.rs"]
mod world;
