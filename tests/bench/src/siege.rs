//! A relay, people who talk over it, and others who would rather they could
//! not: the parts of `sotto-bench siege`.

pub mod attack;
pub mod honest;
mod visitor;

pub mod relay;
