//! The attacks of docs/SECURITY.md, by number. Each says what is tried; what
//! must come of it is that nothing changes, except for what the person is to
//! be told.

mod adding;
mod hostile;
mod keys;
mod playbacks;
mod purposes;
mod roles;
mod table;
mod tools;
mod views;
mod welcomes;
