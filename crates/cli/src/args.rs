//! The command line. Ids are base64url: one of 64 begins with a hyphen, and so
//! may a message. Neither is a wrong option.

use clap::{Args as ClapArgs, Parser, Subcommand};
use sotto_wire::RelayAddress;
use std::{path::PathBuf, time::Duration};

/// End-to-end encrypted rooms on the command line.
///
/// Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the profile is locked,
/// 4 the relay did not answer in time or the others of a call were not
/// reached, 5 the call was declined, 6 nobody came or nobody called.
#[derive(Debug, Parser)]
#[command(name = "sotto-cli", version)]
pub struct Args {
    /// Folder of the profile.
    #[arg(long, global = true, value_name = "DIR", env = "SOTTO_PROFILE_DIR")]
    pub profile_dir: Option<PathBuf>,
    /// The relay to use: host, host:port, ws://… or wss://…
    #[arg(long, global = true, value_name = "ADDRESS", env = "SOTTO_RELAY")]
    pub relay: Option<RelayAddress>,
    /// File whose first line is the invite code of a relay that asks for one,
    /// or "-" for standard input. Without it, the environment's SOTTO_RELAY_CODE is
    /// taken.
    #[arg(long, global = true, value_name = "FILE")]
    pub code_file: Option<PathBuf>,
    #[command(flatten)]
    pub unlock: UnlockArgs,
    /// Seconds to wait for the relay, or for people; 0 waits for ever.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30)]
    pub timeout: u64,
    /// One JSON object a line.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, ClapArgs)]
pub struct UnlockArgs {
    /// File whose first line is the passphrase. Without it, the environment's
    /// SOTTO_PASSPHRASE is taken.
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Leave the system's keyring alone.
    #[arg(long, global = true)]
    pub no_keyring: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a profile.
    Init {
        /// The name that others see.
        #[arg(long)]
        name: String,
        /// Also make a recovery code and print it, once.
        #[arg(long)]
        recovery_code: bool,
    },
    /// Make a room.
    Create {
        name: String,
        #[arg(long, default_value = "")]
        topic: String,
        /// Whoever has a link must still be admitted by the host.
        #[arg(long)]
        ask_host: bool,
    },
    /// Make an invite link.
    Invite {
        #[arg(allow_hyphen_values = true)]
        room: String,
        /// Hours for which it is good.
        #[arg(long, default_value_t = 168)]
        hours: u64,
    },
    /// Join a room by a link, and wait to be let in.
    Join { link: String },
    /// Who asks to be let in.
    Knocks {
        #[arg(allow_hyphen_values = true)]
        room: String,
        /// Wait until somebody does.
        #[arg(long)]
        wait: bool,
    },
    /// Let somebody in.
    Admit {
        #[arg(allow_hyphen_values = true)]
        room: String,
        #[arg(allow_hyphen_values = true)]
        knock: String,
        /// Turn them down instead.
        #[arg(long)]
        deny: bool,
    },
    /// The rooms of this profile.
    Rooms,
    /// Send a message, and wait until the relay has it.
    Send {
        #[arg(allow_hyphen_values = true)]
        room: String,
        /// Without it, standard input is sent.
        #[arg(allow_hyphen_values = true)]
        text: Option<String>,
    },
    /// Print messages as they come.
    Follow {
        /// All rooms without it.
        #[arg(allow_hyphen_values = true)]
        room: Option<String>,
        /// So many older messages of each room first.
        #[arg(long, default_value_t = 0)]
        history: usize,
        /// End after so many messages.
        #[arg(long)]
        count: Option<u64>,
    },
    /// Who is in a room.
    People {
        #[arg(allow_hyphen_values = true)]
        room: String,
    },
    /// The safety number shared with somebody.
    Safety {
        #[arg(allow_hyphen_values = true)]
        user: String,
    },
    /// Note that the safety number was compared and is right.
    Verify {
        #[arg(allow_hyphen_values = true)]
        user: String,
        /// Take it back.
        #[arg(long)]
        undo: bool,
    },
    /// Leave a room.
    Leave {
        #[arg(allow_hyphen_values = true)]
        room: String,
    },
    /// Call everybody in a room, or join the call that runs there. Prints how
    /// it goes, and once a second what is measured. Rings for as long as
    /// --timeout says, at most a minute; Ctrl-C hangs up.
    Call {
        #[arg(allow_hyphen_values = true)]
        room: String,
        #[command(flatten)]
        part: PartArgs,
    },
    /// Wait for a call and accept it.
    Answer {
        /// Whichever room it is without it.
        #[arg(allow_hyphen_values = true)]
        room: Option<String>,
        /// Turn it down instead.
        #[arg(long)]
        decline: bool,
        #[command(flatten)]
        part: PartArgs,
    },
    /// Microphones, speakers, cameras and screens, by the names that `call`
    /// takes.
    Devices,
}

/// What one brings into a call. A device is named as `devices` lists it, by
/// name or by label; tone:HZ, wav:FILE and y4m:FILE need no list.
#[derive(Debug, Clone, ClapArgs)]
pub struct PartArgs {
    /// With the camera.
    #[arg(long)]
    pub video: bool,
    /// Without the microphone.
    #[arg(long)]
    pub muted: bool,
    #[arg(long, value_name = "NAME")]
    pub microphone: Option<String>,
    /// silence: is a speaker that nobody hears; wav:FILE writes what would be
    /// heard.
    #[arg(long, value_name = "NAME")]
    pub speaker: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub camera: Option<String>,
    /// Also share this screen or window.
    #[arg(long, value_name = "NAME")]
    pub screen: Option<String>,
    /// Hang up after so many seconds in the call.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
}

impl Command {
    /// Being interrupted is part of it, and it says goodbye by itself.
    pub fn says_goodbye(&self) -> bool {
        matches!(self, Self::Call { .. } | Self::Answer { .. })
    }
}

impl Args {
    pub fn patience(&self) -> Option<Duration> {
        (self.timeout > 0).then(|| Duration::from_secs(self.timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[&str]) -> Command {
        let args = [&["sotto-cli"], line].concat();
        Args::try_parse_from(args)
            .expect("it is understood")
            .command
    }

    #[test]
    fn an_id_that_begins_with_a_hyphen_is_no_option() {
        const ID: &str = "-badFMX7cnXfWrbFFfLnIg";
        let admit = read(&["admit", ID, ID, "--deny"]);
        assert!(
            matches!(&admit, Command::Admit { room, knock, deny: true } if room == ID && knock == ID),
            "{admit:?}"
        );
        let send = read(&["send", "--json", ID, "-5 °C"]);
        assert!(
            matches!(&send, Command::Send { room, text: Some(text) } if room == ID && text == "-5 °C"),
            "{send:?}"
        );
        for one in [
            "people", "leave", "safety", "verify", "invite", "knocks", "follow",
        ] {
            read(&[one, ID]);
        }
        let help = Args::try_parse_from(["sotto-cli", "people", "--help"]);
        let kind = help.map(|_| ()).expect_err("help").kind();
        assert_eq!(kind, clap::error::ErrorKind::DisplayHelp);
    }
}
