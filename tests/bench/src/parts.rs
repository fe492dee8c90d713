//! What can be measured by itself.

pub mod calls;
pub mod engine;
pub mod mls;
pub mod profile;
pub mod siege;
