//! The command line.

use clap::Parser;
use std::path::PathBuf;

/// End-to-end encrypted rooms.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "sotto", version)]
pub struct Args {
    /// Which of this computer's profiles to open; each has its own window.
    #[arg(long, value_name = "NAME", env = "SOTTO_PROFILE")]
    pub profile: Option<String>,
    /// Keep the profile in this folder instead of the usual one.
    #[arg(long, value_name = "DIR", env = "SOTTO_PROFILE_DIR")]
    pub profile_dir: Option<PathBuf>,
    /// An invite link to follow.
    #[arg(value_name = "LINK")]
    pub link: Option<String>,
}
