//! A page without a web view: the app's commands behind its own access control,
//! for tests that say whatever they like.

use crate::{
    args::Args,
    desktop::NoDesktop,
    ipc::{bindings, guard},
    profile::Profile,
    session::Session,
};
use serde_json::{Value, json};
use sotto_engine::NoKeyring;
use std::sync::Arc;
use tauri::{
    WebviewWindow, WebviewWindowBuilder,
    ipc::{CallbackFn, InvokeBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder},
    webview::InvokeRequest,
};

pub struct Page {
    window: WebviewWindow<MockRuntime>,
    _app: tauri::App<MockRuntime>,
    _home: tempfile::TempDir,
}

impl Page {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let args = Args {
            profile_dir: Some(home.path().join("p")),
            ..Args::default()
        };
        let profile = Profile::resolve(&args).unwrap();
        let session =
            Session::with_keyring(&profile, Arc::new(NoDesktop), None, Arc::new(NoKeyring));
        let app = mock_builder()
            .manage(session)
            .invoke_handler(guard::guarded(bindings::commands().invoke_handler()))
            .build(tauri::generate_context!(test = true))
            .unwrap();
        let window = WebviewWindowBuilder::new(&app, "main", Default::default())
            .build()
            .unwrap();
        Self {
            window,
            _app: app,
            _home: home,
        }
    }

    /// A page with a profile that is open.
    pub fn opened() -> Self {
        let page = Self::new();
        let profile = json!({ "name": "Alice", "emoji": "", "color": 3 });
        let start = page.call(
            "create_profile",
            json!({ "profile": profile, "passphrase": "long enough", "useKeyring": false }),
        );
        assert_eq!(start.unwrap()["type"], "open");
        page
    }

    pub fn call(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        self.call_from("tauri://localhost", command, arguments)
    }

    pub fn call_from(&self, origin: &str, command: &str, arguments: Value) -> Result<Value, Value> {
        let request = InvokeRequest {
            cmd: command.into(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: origin.parse().unwrap(),
            body: InvokeBody::Json(arguments),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.into(),
        };
        get_ipc_response(&self.window, request).map(|body| body.deserialize().unwrap())
    }
}

/// The code of a refusal, `refused` where Tauri itself refused, or the answer.
pub fn code(result: Result<Value, Value>) -> String {
    match result {
        Ok(data) => format!("ok {data}"),
        Err(error) => error["code"]
            .as_str()
            .map_or_else(|| "refused".into(), str::to_owned),
    }
}
