//! The desktop app: a window over the engine, and a small one for calls that
//! ring. It owns what belongs to a desktop (profile folders, windows, links, notifications, clipboard, the
//! built-in relay) and the typed IPC to the page. It holds no protocol logic
//! and no key.

mod args;
mod builtin;
mod desktop;
mod ipc;
mod kept;
mod logging;
mod profile;
mod session;
mod settings;
mod tiles;

#[cfg(test)]
mod hardening;

pub use args::Args;

use profile::Profile;
use session::Session;
use std::{process::ExitCode, sync::Arc};
use tauri::Manager as _;

/// Runs the app until its window is closed.
pub fn run(args: Args) -> ExitCode {
    let profile = match Profile::resolve(&args) {
        Ok(profile) => profile,
        Err(problem) => return complain(&problem.to_string()),
    };
    // A full disk or a folder that cannot be written is said in the window.
    logging::start(&profile.log_file());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    match build(args, profile) {
        Ok(app) => {
            app.run(desktop::quit::on_event);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "the window system did not start");
            complain(&format!("the window system did not start: {error}"))
        }
    }
}

fn build(args: Args, profile: Profile) -> tauri::Result<tauri::App> {
    let commands = ipc::bindings::commands();
    let mut context = tauri::generate_context!();
    // Tauri derives its folders and, on some systems, the name of the one
    // running instance from the identifier: profiles must not share them.
    context.config_mut().identifier = profile.identifier();
    tauri::Builder::default()
        // First, so that a second start of this profile ends before it does anything.
        .plugin(desktop::links::single_instance(&profile))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(desktop::window::remembering(&profile))
        .invoke_handler(ipc::guard::guarded(commands.invoke_handler()))
        .register_asynchronous_uri_scheme_protocol(tiles::SCHEME, tiles::serve)
        .setup(move |app| {
            let desktop = Arc::new(desktop::Native::new(app.handle().clone(), profile.clone()));
            let session = Session::start(&profile, desktop, args.link);
            app.manage(session);
            desktop::links::listen(app.handle());
            desktop::quit::on_signals(app.handle());
            desktop::window::open(app.handle(), &profile)?;
            Ok(())
        })
        .build(context)
}

/// The only words on a terminal: when there is no window to show them in.
#[allow(clippy::print_stderr)]
fn complain(text: &str) -> ExitCode {
    eprintln!("sotto: {text}");
    ExitCode::FAILURE
}
