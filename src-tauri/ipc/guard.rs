//! The last look at a call before its arguments are read: whatever the page
//! sends, it is one object of bounded size. What is larger than any honest
//! call is refused without being copied further.

use super::error::{ErrorCode, UiError};
use serde_json::Value;
use tauri::{
    Runtime,
    ipc::{Invoke, InvokeBody},
};

/// Longest arguments of one call, in bytes of text. A message with a quote
/// stays below a fifth of it.
const LONGEST: usize = 256 * 1024;
/// Deepest arguments. The deepest honest ones are a quote inside a message.
const DEEPEST: usize = 8;

/// Puts the guard before a table of commands.
pub fn guarded<R: Runtime>(
    commands: impl Fn(Invoke<R>) -> bool + Send + Sync + 'static,
) -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    move |invoke| {
        let fits = match invoke.message.payload() {
            InvokeBody::Json(arguments) => room_left(arguments, LONGEST, DEEPEST).is_some(),
            InvokeBody::Raw(bytes) => bytes.is_empty(),
        };
        if fits {
            return commands(invoke);
        }
        tracing::warn!("a call with arguments that no page of ours sends was refused");
        invoke.resolver.reject(UiError::from(ErrorCode::Internal));
        true
    }
}

/// How much of `room` is left after this value; `None` if it does not fit.
fn room_left(value: &Value, room: usize, depth: usize) -> Option<usize> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => room.checked_sub(8),
        Value::String(text) => room.checked_sub(text.len() + 2),
        Value::Array(items) => items
            .iter()
            .try_fold(room, |room, item| room_left(item, room, depth)),
        Value::Object(fields) => fields.iter().try_fold(room, |room, (name, value)| {
            room_left(value, room.checked_sub(name.len() + 4)?, depth)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn honest_calls_fit_and_floods_do_not() {
        let fits = |value: &Value| room_left(value, LONGEST, DEEPEST).is_some();
        assert!(fits(
            &json!({ "room": "r", "text": "x".repeat(16 * 1024), "replyTo": null })
        ));
        assert!(!fits(&json!({ "text": "x".repeat(LONGEST) })));
        assert!(!fits(&json!({ "text": vec![0; LONGEST] })));
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(!fits(&deep));
    }
}
