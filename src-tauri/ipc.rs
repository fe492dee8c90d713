//! The typed IPC: commands up, one ordered channel of events down, both in the
//! page's own shapes. Conversion from the client's types happens here and
//! nowhere else; no 64-bit integer, no raw error text and no secret that was
//! not asked for crosses.

pub mod bindings;
pub mod commands;
pub mod error;
pub mod event;
pub mod guard;
pub mod markdown;
pub mod number;
pub mod qr;
pub mod view;

#[cfg(test)]
mod names;
#[cfg(test)]
mod tests;
