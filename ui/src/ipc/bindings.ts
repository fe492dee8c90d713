// Contract for the app and the UI while both are being written; replaced by the generated file.
// Ids are base64url strings. Times are Unix milliseconds. Positions are numbers below 2^53.
import { type Channel, invoke } from "@tauri-apps/api/core";

export type Result<T, E> = { status: "ok"; data: T } | { status: "error"; error: E };

export type UiError = { code: ErrorCode; max: number | null; link: LinkFault | null };
export type ErrorCode =
  | "badName" | "emptyMessage" | "messageTooLong" | "badLink" | "alreadyMember" | "unknownRoom" | "unknownPerson"
  | "unknownMessage" | "unknownKnock" | "unknownInvite" | "notHost" | "roomFull" | "roomOver" | "busy" | "relayInUse"
  | "badAddress" | "internal"
  // opening a profile
  | "profileInUse" | "wrongPassphrase" | "wrongRecoveryCode" | "mistypedRecoveryCode" | "keyringNoService" | "keyringDenied"
  | "keyringEntryMissing" | "keyringEntryWrong" | "noSlotLeft" | "lastSlot" | "weakPassphrase" | "newerVersion" | "damaged" | "diskFull"
  | "notWritable" | "storeLocked" | "io" | "stopped"
  // built-in relay
  | "portInUse" | "addressUnavailable" | "relayDataDamaged";
export type LinkFault =
  | "notALink" | "otherVersion" | "badRelay" | "badRoom" | "badInvite" | "secretMissing" | "secretDamaged" | "badExpiry" | "expired";

export type Keyring = "working" | "noService" | "denied" | "entryMissing" | "entryWrong";
/** What the page finds at start. */
export type Start =
  | { type: "new"; keyring: Keyring }
  | { type: "locked"; keyring: Keyring; passphrase: boolean; recovery: boolean; appLock: boolean }
  | { type: "failed"; code: ErrorCode }
  | { type: "open"; snapshot: Snapshot };

export type Profile = { name: string; emoji: string; color: number };
export type Me = { user: string; device: string; profile: Profile };
export type Snapshot = {
  me: Me;
  rooms: Room[];
  relays: Relay[];
  problems: Problem[];
  settings: Settings;
  /** An invite link that was clicked before, not followed yet. */
  link: string | null;
};

export type Settings = {
  theme: "system" | "light" | "dark";
  density: "comfortable" | "compact";
  language: "system" | "en" | "de";
  notifications: "all" | "names" | "hidden" | "off";
  sound: boolean;
  /** Whether the recovery code was offered and taken or put off (Unix ms), null: not yet. */
  recoveryAsked: number | null;
};

export type Relay = {
  address: string;          // ws(s)://host:port[#pin]
  label: string;            // "this computer" is builtIn; otherwise host:port
  builtIn: boolean;
  status: LinkStatus;
};
export type LinkStatus =
  | { type: "connecting" } | { type: "connected" } | { type: "off" }
  | { type: "waiting"; retryInMs: number; why: LinkProblem };
export type LinkProblem =
  | "unreachable" | "tls" | "pinMismatch" | "notARelay" | "version" | "notAdmitted" | "refused" | "closedByRelay" | "slowReader";
export type BuiltInRelay = { running: boolean; reach: "thisComputer" | "localNetwork"; address: string | null; port: number; error: ErrorCode | null };

export type Problem =
  | { type: "diskFull" } | { type: "storeLocked" } | { type: "clockWrong"; aheadMs: number } | { type: "keyringGone"; keyring: Keyring };

export type Standing =
  | { state: "creating" } | { state: "knocking" } | { state: "denied" } | { state: "member" } | { state: "left" }
  | { state: "removed"; by: string } | { state: "deleted"; by: string | null } | { state: "lost" };
export type Admission = "atOnce" | "byHost";
export type Room = {
  id: string; relay: string; name: string; topic: string; standing: Standing; admission: Admission;
  host: string | null; memberCount: number; unverified: number; unread: number; readPosition: number;
  last: { from: string | null; name: string; text: string; at: number } | null;
  activeAt: number; draft: string; muted: boolean; pinned: boolean; archived: boolean; knocks: number; epoch: number; inSync: boolean;
};
export type Person = {
  user: string; profile: Profile; me: boolean; host: boolean; verifiedAt: number | null; addedBy: string | null;
  online: boolean; delivered: number; read: number;   // both are room seqs; an item's seq is Item.seq
};
export type Knock = { id: string; user: string; profile: Profile; invite: string; inviteCreated: number; at: number; verified: boolean };
export type Invite = { id: string; link: string; created: number; expires: number; by: string };
export type Safety = { user: string; digits: string /* 60 */; qr: string /* SVG path data of the QR modules */; qrSize: number /* modules per side */; verifiedAt: number | null };

export type Item = { id: string; position: number; seq: number | null; at: number; kind: ItemKind };
export type ItemKind =
  | { kind: "message"; from: string; name: string; text: string; blocks: Block[]; replyTo: Quote | null; delivery: "pending" | "accepted" | "failed" }
  | { kind: "system"; line: SystemLine }
  | { kind: "gap"; count: number; why: "expired" | "unreadable" };
export type Quote = { id: string; from: string; name: string; text: string };
export type Actor = { user: string; name: string };
export type SystemLine =
  | { event: "created"; by: Actor } | { event: "joined"; who: Actor; by: Actor } | { event: "youJoined"; by: Actor }
  | { event: "left"; who: Actor } | { event: "removed"; who: Actor; by: Actor } | { event: "hostChanged"; host: Actor }
  | { event: "renamed"; by: Actor; name: string } | { event: "topicChanged"; by: Actor; topic: string }
  | { event: "admissionChanged"; by: Actor; admission: Admission } | { event: "deleted"; by: Actor | null }
  | { event: "refused"; by: Actor } | { event: "profileChanged"; who: Actor; before: string };
/** Markdown, parsed in Rust. */
export type Block =
  | { type: "paragraph"; inlines: Inline[] } | { type: "code"; language: string; text: string }
  | { type: "quote"; blocks: Block[] } | { type: "list"; start: number | null; items: Block[][] };
export type Inline =
  | { type: "text"; text: string } | { type: "code"; text: string } | { type: "break" }
  | { type: "strong"; inlines: Inline[] } | { type: "emphasis"; inlines: Inline[] } | { type: "strike"; inlines: Inline[] }
  | { type: "link"; href: string /* https: or mailto: only */; inlines: Inline[] };
export type Page = { items: Item[]; more: boolean };
export type Slots = { keyring: Keyring; keyringSlot: boolean; passphrase: boolean; recovery: boolean; appLock: boolean };
export type About = { version: string; logs: string; data: string };

/** Down: one ordered channel. */
export type Event =
  | { type: "profile"; profile: Profile }
  | { type: "room"; room: Room } | { type: "roomGone"; room: string }
  | { type: "item"; room: string; item: Item } | { type: "itemGone"; room: string; id: string }
  | { type: "people"; room: string; people: Person[] } | { type: "knocks"; room: string; knocks: Knock[] }
  | { type: "invites"; room: string; invites: Invite[] } | { type: "typing"; room: string; users: string[] }
  | { type: "relay"; relay: Relay } | { type: "relayGone"; address: string }
  | { type: "problem"; problem: Problem } | { type: "problemGone"; problem: Problem }
  | { type: "refused"; room: string | null; code: string } | { type: "notice"; relay: string; body: string }
  | { type: "notify"; room: string; item: string }
  | { type: "link"; link: string }                       // an invite link was clicked
  | { type: "builtIn"; relay: BuiltInRelay }
  | { type: "stopped"; code: ErrorCode }                 // the engine is gone: show why
  | { type: "lagged" };                                  // call open() again

/** Up: commands. */
export const commands = {
  open: (channel: Channel<Event>) => answered<Start>(invoke("open", { channel })),
  createProfile: (profile: Profile, passphrase: string | null, useKeyring: boolean) => answered<Start>(invoke("create_profile", { profile, passphrase, useKeyring })),
  unlock: (secret: string, kind: "passphrase" | "recovery") => answered<Start>(invoke("unlock", { secret, kind })),
  retryKeyring: () => answered<Start>(invoke("retry_keyring")),
  setProfile: (profile: Profile) => answered<null>(invoke("set_profile", { profile })),
  startBuiltInRelay: (reach: "thisComputer" | "localNetwork", port: number | null) => answered<BuiltInRelay>(invoke("start_built_in_relay", { reach, port })),
  stopBuiltInRelay: () => answered<null>(invoke("stop_built_in_relay")),
  builtInRelay: () => answered<BuiltInRelay>(invoke("built_in_relay")),
  addRelay: (address: string) => answered<string>(invoke("add_relay", { address })),
  removeRelay: (address: string) => answered<null>(invoke("remove_relay", { address })),
  reconnectNow: () => answered<null>(invoke("reconnect_now")),
  createRoom: (relay: string, name: string, topic: string, admission: Admission) => answered<string>(invoke("create_room", { relay, name, topic, admission })),
  changeRoom: (room: string, name: string, topic: string, admission: Admission) => answered<null>(invoke("change_room", { room, name, topic, admission })),
  checkLink: (link: string) => answered<{ relay: string; expires: number }>(invoke("check_link", { link })),
  join: (link: string) => answered<string>(invoke("join", { link })),
  cancelJoin: (room: string) => answered<null>(invoke("cancel_join", { room })),
  createInvite: (room: string, validForMs: number) => answered<Invite>(invoke("create_invite", { room, validForMs })),
  revokeInvite: (room: string, invite: string) => answered<null>(invoke("revoke_invite", { room, invite })),
  answerKnock: (room: string, knock: string, admit: boolean) => answered<null>(invoke("answer_knock", { room, knock, admit })),
  removePerson: (room: string, user: string) => answered<null>(invoke("remove_person", { room, user })),
  makeHost: (room: string, user: string) => answered<null>(invoke("make_host", { room, user })),
  leaveRoom: (room: string) => answered<null>(invoke("leave_room", { room })),
  deleteRoom: (room: string) => answered<null>(invoke("delete_room", { room })),
  forgetRoom: (room: string) => answered<null>(invoke("forget_room", { room })),
  people: (room: string) => answered<Person[]>(invoke("people", { room })),
  knocks: (room: string) => answered<Knock[]>(invoke("knocks", { room })),
  invites: (room: string) => answered<Invite[]>(invoke("invites", { room })),
  safety: (user: string) => answered<Safety>(invoke("safety", { user })),
  setVerified: (user: string, verified: boolean) => answered<null>(invoke("set_verified", { user, verified })),
  timeline: (room: string, before: number | null, limit: number) => answered<Page>(invoke("timeline", { room, before, limit })),
  sendMessage: (room: string, id: string, text: string, replyTo: Quote | null) => answered<null>(invoke("send_message", { room, id, text, replyTo })),
  retryMessage: (room: string, id: string) => answered<null>(invoke("retry_message", { room, id })),
  discardMessage: (room: string, id: string) => answered<null>(invoke("discard_message", { room, id })),
  setTyping: (room: string, on: boolean) => answered<null>(invoke("set_typing", { room, on })),
  markRead: (room: string, position: number) => answered<null>(invoke("mark_read", { room, position })),
  setDraft: (room: string, text: string) => answered<null>(invoke("set_draft", { room, text })),
  setPrefs: (room: string, muted: boolean, pinned: boolean, archived: boolean) => answered<null>(invoke("set_prefs", { room, muted, pinned, archived })),
  setSettings: (settings: Settings) => answered<null>(invoke("set_settings", { settings })),
  slots: () => answered<Slots>(invoke("slots")),
  setPassphrase: (passphrase: string | null) => answered<null>(invoke("set_passphrase", { passphrase })),
  newRecoveryCode: () => answered<string>(invoke("new_recovery_code")),
  setKeyringSlot: (on: boolean) => answered<null>(invoke("set_keyring_slot", { on })),
  about: () => answered<About>(invoke("about")),
  openLink: (href: string) => answered<null>(invoke("open_link", { href })),
  copyText: (text: string) => answered<null>(invoke("copy_text", { text })),
};

async function answered<T>(call: Promise<T>): Promise<Result<T, UiError>> {
  try {
    return { status: "ok", data: await call };
  } catch (error) {
    if (error instanceof Error) throw error;
    return { status: "error", error: error as UiError };
  }
}
