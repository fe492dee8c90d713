// Every message from the page to Rust passes through here before it is
// encrypted: only a command that exists, and only up to a size that no honest
// message reaches. What fails is renamed to a command that nobody allows, so
// that its promise is rejected instead of waiting for ever.
'use strict';

const COMMANDS = new Set([
  'open',
  'create_profile',
  'unlock',
  'retry_keyring',
  'set_profile',
  'start_built_in_relay',
  'stop_built_in_relay',
  'built_in_relay',
  'add_relay',
  'remove_relay',
  'reconnect_now',
  'create_room',
  'change_room',
  'check_link',
  'join',
  'cancel_join',
  'create_invite',
  'revoke_invite',
  'answer_knock',
  'remove_person',
  'make_host',
  'leave_room',
  'delete_room',
  'forget_room',
  'people',
  'knocks',
  'invites',
  'safety',
  'set_verified',
  'timeline',
  'send_message',
  'retry_message',
  'discard_message',
  'set_typing',
  'mark_read',
  'set_draft',
  'set_prefs',
  'start_call',
  'join_call',
  'decline_call',
  'leave_call',
  'set_sending',
  'repair_call',
  'raise_hand',
  'react',
  'devices',
  'choose_device',
  'choose_device_file',
  'set_processing',
  'set_volume',
  'preview',
  'test_speaker',
  'levels',
  'call_stats',
  'copy_call_stats',
  'show_tiles',
  'watch_ringing',
  'answer_ringing',
  'set_settings',
  'slots',
  'set_passphrase',
  'new_recovery_code',
  'set_keyring_slot',
  'about',
  'open_link',
  'copy_text',
  // How Tauri hands over channel messages that are too long to be pushed.
  'plugin:__TAURI_CHANNEL__|fetch',
]);

const LONGEST = 256 * 1024;

function fits(payload) {
  if (payload === null || payload === undefined) return true;
  if (typeof payload !== 'object' || ArrayBuffer.isView(payload) || payload instanceof ArrayBuffer) {
    return false;
  }
  try {
    return JSON.stringify(payload).length <= LONGEST;
  } catch {
    return false;
  }
}

window.__TAURI_ISOLATION_HOOK__ = (message) => {
  if (COMMANDS.has(message.cmd) && fits(message.payload)) return message;
  return { cmd: 'refused', callback: message.callback, error: message.error, payload: {} };
};
