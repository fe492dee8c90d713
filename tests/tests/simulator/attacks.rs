//! The attacks of docs/SECURITY.md, by number. Each says what is tried; what
//! must come of it is that nothing changes, except for what the person is to
//! be told.
//!
//! | attack | |
//! |---|---|
//! | 1 | `adding`, `false_rooms` |
//! | 2 | `welcomes` |
//! | 3 | `authors` (what people say), `frames` (what the relay says) |
//! | 4 | `roles` |
//! | 5 | `playbacks` |
//! | 6 | `views` |
//! | 11 | `keys` |
//! | 12 | `purposes` |
//! | 19 | `hostile` (names, texts, links), `bytes` |

mod adding;
mod authors;
mod bytes;
mod calls;
mod false_rooms;
mod frames;
mod hostile;
mod keys;
mod playbacks;
mod purposes;
mod roles;
mod sight;
mod tools;
mod views;
mod welcomes;
