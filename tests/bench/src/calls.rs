//! Calls between real engines over a real relay on this computer, with
//! synthetic devices: the parts of `sotto-bench calls`. Everything that people have
//! is on: sealed and signed signaling, SFrame, codecs, jitter buffer.

pub mod codec;
pub mod first_picture;
pub mod leaver;
pub mod loss;
pub mod mesh;
mod page;
pub mod pair;
pub mod pixels;
mod talk;
