//! What the workspace's integration tests stand on: [`world`], a simulated
//! world of people, relays and the network between them, and [`seeds`].

pub mod seeds;
pub mod world;
