//! Calls: who rings, who talks with whom, under which keys, and what remains
//! of it.

mod faults;
mod hiding;
mod ringing;
mod talking;
