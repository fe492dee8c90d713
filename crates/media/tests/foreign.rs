//! Our transport against other people's: aiortc and Chromium, as offerer and
//! as answerer, sound and picture decoded at both ends. Frames go unencrypted
//! here, which only the `testing` feature has and no release build allows:
//!
//! ```text
//! cargo test -p sotto-media --features testing --test foreign
//! ```
//! Needs Python with venv (aiortc is installed below the target folder on
//! first use) and Chromium (`SOTTO_CHROMIUM`, else `chromium`).

// The figures are for whoever runs this.
#![allow(clippy::print_stdout)]
#![cfg(feature = "testing")]

#[path = "foreign/aiortc.rs"]
mod aiortc;
#[path = "foreign/chromium.rs"]
mod chromium;
#[path = "foreign/ours.rs"]
mod ours;

use ours::Ours;
use serde_json::Value;
use tokio::sync::mpsc;

/// The other end, wherever it runs: messages both ways, as JSON.
///
/// To it: `{"offer": bool}` begins; `{"description": {"type", "sdp"}}`,
/// `{"candidate": {"line", "mid"}}`. From it: the same two, and `{"report":
/// {"frames", "width", "loud"}}` of what it decoded.
pub struct Foreign {
    pub to: mpsc::Sender<Value>,
    pub from: mpsc::Receiver<Value>,
    /// Ends what runs it.
    pub keep: Box<dyn std::any::Any + Send>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aiortc_answers_us() {
    Ours::meet(aiortc::start().await, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aiortc_offers_to_us() {
    Ours::meet(aiortc::start().await, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chromium_answers_us() {
    Ours::meet(chromium::start().await, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chromium_offers_to_us() {
    Ours::meet(chromium::start().await, false).await;
}
