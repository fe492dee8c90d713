//! Calls between real engines over a real relay on this computer, beside
//! other people's WebRTC in the same run:
//! `sotto-bench calls [--libwebrtc <folder>] [--aiortc <folder>] [part]…`. The
//! folders are those in which `sotto_outside::foreign` installed them.
//! Without a part, all of them are measured.

use crate::calls::first_picture::{self, Foreign};
use crate::calls::{leaver, loss, mesh, pair, pixels};
use crate::people::Failure;
use std::path::PathBuf;

/// What can be measured alone.
const PARTS: [&str; 6] = ["first", "pair", "pixels", "loss", "leaver", "mesh"];

#[derive(Default)]
struct Wish {
    libwebrtc: Option<PathBuf>,
    aiortc: Option<PathBuf>,
    parts: Vec<String>,
}

impl Wish {
    fn of(mut args: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut wish = Self::default();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--libwebrtc" => wish.libwebrtc = Some(args.next().ok_or("which folder?")?.into()),
                "--aiortc" => wish.aiortc = Some(args.next().ok_or("which folder?")?.into()),
                part if PARTS.contains(&part) => wish.parts.push(part.to_owned()),
                other => return Err(format!("{other} is none of {}", PARTS.join(", ")).into()),
            }
        }
        Ok(wish)
    }

    fn has(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

pub async fn run(args: Vec<String>) -> Result<(), Failure> {
    let wish = Wish::of(args.into_iter())?;
    if wish.has("first") || wish.has("pair") {
        let mut pair = pair::Pair::arrives().await?;
        if wish.has("first") {
            let foreign = Foreign {
                libwebrtc: wish.libwebrtc.as_deref(),
                aiortc: wish.aiortc.as_deref(),
            };
            first_picture::measure(&mut pair, foreign).await?;
        }
        if wish.has("pair") {
            pair::measure(pair).await?;
        }
    }
    if wish.has("pixels") {
        pixels::measure()?;
    }
    if wish.has("loss") {
        loss::measure().await?;
    }
    if wish.has("leaver") {
        leaver::measure().await?;
    }
    if wish.has("mesh") {
        mesh::measure().await?;
    }
    Ok(())
}
