/** Every call that rings or runs, the one this person is in, and what they want of it. */
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { Call, CallStats, Devices, Media, Participant, Sending, Share, UiError } from '../ipc/bindings';
import type { Answer, Ipc } from '../ipc/client';
import { arrange, largeOf, places, type Arrangement, type Mode } from './layout';
import { Lately } from './lately';
import { Levels } from './levels.svelte';
import type { Drawing } from './reason';
import { Shown } from './shown';
import { verdict, type Verdict } from './verdict';

export type Lobby = { room: string; video: boolean };
export type Reaction = { id: number; user: string; emoji: string };
/** What the stage says aloud and the page may show. */
export type Happening =
  | { what: 'joined' | 'left' | 'hand' | 'shares' | 'sharesNot'; user: string }
  | { what: 'over'; call: Call };

const NOTHING: Sending = { microphone: false, camera: false, screen: null };
const REACTION = 4_500;
const REACTIONS = 12;
const STATS = 2_000;
/** As long as Rust takes a second wish for the same. */
const REPAIR = 10_000;

export class Calls {
  #all = new SvelteMap<string, Call>();
  #stage = $state(false);
  chat = $state(false);
  mode = $state<Mode>('grid');
  pinned = $state<string | null>(null);
  lobby = $state.raw<Lobby | null>(null);
  /** The own call that ended by itself, until it was seen. */
  over = $state.raw<Call | null>(null);
  reactions = $state.raw<Reaction[]>([]);
  devices = $state.raw<Devices | null>(null);
  stats = $state.raw<CallStats | null>(null);
  /** The microphone is open only while a key is held. */
  talking = $state(false);
  /** How loud others are heard, in percent, as far as it was changed. */
  readonly volumes = new SvelteMap<string, number>();
  /** Whose connection is being mended: device ids. */
  readonly mending = new SvelteSet<string>();
  readonly levels: Levels;
  readonly shown: Shown;
  own = $derived([...this.#all.values()].find((call) => call.phase.phase === 'joined' || call.phase.phase === 'calling') ?? null);
  ringing = $derived([...this.#all.values()].filter((call) => call.phase.phase === 'ringing').sort((a, b) => a.started - b.started)[0] ?? null);
  /** Where tiles go now. */
  arrangement = $derived(this.#arrange());
  #wish = $state.raw<Sending | null>(null);
  #tried = { microphone: false, camera: false };
  #leaving = new Set<string>();
  #reaction = 0;
  #watchers = 0;
  #lately = new Lately();
  #forged = $state.raw(new Map<string, number>());
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly ipc: Ipc,
    private readonly complain: (error: UiError) => void,
    private readonly tell: (happening: Happening) => void = () => {},
  ) {
    this.levels = new Levels(ipc);
    this.shown = new Shown((tiles) => void ipc.showTiles(tiles));
  }

  /** Everything anew, at the start and after events were lost. */
  take(calls: Call[]): void {
    const before = this.own?.id;
    this.#all.clear();
    for (const call of calls) this.#all.set(call.id, call);
    if (this.own && this.own.id !== before) this.#entered();
    if (!this.own) this.#left();
    // Rust takes a page that starts for a new one, which shows nothing yet.
    this.shown.again();
    const { microphone, camera } = this.#tried;
    if (microphone || camera) this.try(microphone, camera);
  }

  put(call: Call): void {
    const before = this.#all.get(call.id);
    const mine = this.own?.id === call.id;
    this.#all.set(call.id, call);
    const now = this.own?.id === call.id;
    if (now && before) this.#compare(before, call);
    if (now && !mine) this.#entered();
    if (now) this.#settle(call);
    if (mine && !now) this.#ended(before ?? call, call);
  }

  drop(id: string): void {
    const mine = this.own?.id === id;
    this.#all.delete(id);
    if (mine) this.#left();
  }

  /** The call of a room that rings or runs. */
  inRoom(room: string): Call | null {
    return [...this.#all.values()].find((call) => call.room === room && call.phase.phase !== 'over') ?? null;
  }

  /** Which covers the window; without it the call is in the corner. */
  get stage(): boolean {
    return this.#stage;
  }

  set stage(on: boolean) {
    this.#stage = on;
    // The key to talk belongs to the stage.
    if (!on) this.talk(false);
  }

  // --- what goes out ---

  /** As wished: it shows at once, whatever takes its time. */
  get sending(): Sending {
    return this.#wish ?? (this.own ? sendingOf(this.own.own) : NOTHING);
  }

  set(part: Partial<Sending>): void {
    const call = this.own;
    if (!call) return;
    const wish = { ...this.sending, ...part };
    this.#wish = wish;
    void this.ipc.setSending(call.id, wish).then((answer) => {
      if (answer.status === 'ok') return;
      this.#wish = null;
      this.complain(answer.error);
    });
  }

  toggleMicrophone(): void {
    this.talking = false;
    this.set({ microphone: !this.sending.microphone });
  }

  toggleCamera(): void {
    this.set({ camera: !this.sending.camera });
  }

  /** The key to talk is held, or let go. */
  talk(on: boolean): void {
    if (on === this.talking || !this.own || (on && this.sending.microphone)) return;
    this.talking = on;
    this.set({ microphone: on });
  }

  async share(device: string | null, mode: Share | null): Promise<void> {
    if (mode !== null && device !== null) {
      const chosen = await this.ipc.chooseDevice('screen', device);
      if (chosen.status === 'error') return this.complain(chosen.error);
    }
    this.set({ screen: mode });
  }

  /** Opens devices so that they can be looked at before a call. */
  try(microphone: boolean, camera: boolean): void {
    this.#tried = { microphone, camera };
    void this.ipc.preview(microphone, camera);
  }

  // --- coming and going ---

  async start(room: string, video: boolean, sending: Sending): Promise<boolean> {
    const running = this.inRoom(room);
    if (running) return this.join(running, sending);
    return this.#enter(this.ipc.startCall(room, video, sending));
  }

  async join(call: Call, sending: Sending): Promise<boolean> {
    const other = this.own;
    if (other && other.id !== call.id) await this.leave();
    return this.#enter(this.ipc.joinCall(call.room, call.id, sending));
  }

  /** A call that rings, with or without the camera. */
  accept(call: Call, camera: boolean): void {
    void this.join(call, { microphone: true, camera, screen: null });
  }

  /** It was accepted in the window that rings. */
  accepted(id: string, camera: boolean): void {
    const call = this.#all.get(id);
    if (call?.phase.phase === 'ringing') this.accept(call, camera);
  }

  decline(call: Call): void {
    void this.#attempt(this.ipc.declineCall(call.room, call.id));
  }

  async leave(): Promise<void> {
    const call = this.own;
    if (!call) return;
    this.#leaving.add(call.id);
    await this.#attempt(this.ipc.leaveCall(call.room, call.id));
  }

  /** What ended was seen. */
  dismiss(): void {
    this.over = null;
    if (!this.own) this.stage = this.chat = false;
  }

  // --- hand, reactions, layout ---

  raiseHand(up: boolean): void {
    if (this.own) void this.#attempt(this.ipc.raiseHand(this.own.id, up));
  }

  /** A fresh key, and a new way to somebody. */
  async repair(who: Participant): Promise<void> {
    const call = this.own;
    if (!call || this.mending.has(who.device)) return;
    this.mending.add(who.device);
    setTimeout(() => this.mending.delete(who.device), REPAIR);
    if (!(await this.#attempt(this.ipc.repairCall(call.id, who.user, who.device)))) this.mending.delete(who.device);
  }

  react(emoji: string): void {
    if (this.own) void this.#attempt(this.ipc.react(this.own.id, emoji));
  }

  reacted(call: string, user: string, emoji: string): void {
    if (this.own?.id !== call) return;
    const id = ++this.#reaction;
    this.reactions = [...this.reactions, { id, user, emoji }].slice(-REACTIONS);
    setTimeout(() => (this.reactions = this.reactions.filter((one) => one.id !== id)), REACTION);
  }

  pin(key: string | null): void {
    this.pinned = key;
    this.mode = key === null ? 'grid' : 'speaker';
  }

  nextLayout(): void {
    this.pinned = null;
    this.mode = this.arrangement?.mode === 'speaker' ? 'grid' : 'speaker';
  }

  setVolume(user: string, device: string, percent: number): void {
    this.volumes.set(`${user}.${device}`, percent);
    void this.ipc.setVolume(user, device, percent);
  }

  // --- what is measured, for as long as somebody looks ---

  watchStats(): () => void {
    this.#watchers += 1;
    if (this.#watchers === 1) {
      void this.#measure();
      this.#timer = setInterval(() => void this.#measure(), STATS);
    }
    return () => {
      this.#watchers -= 1;
      if (this.#watchers === 0) clearInterval(this.#timer);
    };
  }

  /** How it goes with somebody. */
  judge(who: Participant, drawing: Drawing | null = null): Verdict {
    return verdict(who, this.stats, { drawing, forged: this.#forged.get(who.device) ?? 0 });
  }

  async loadDevices(): Promise<void> {
    const answer = await this.ipc.devices();
    if (answer.status === 'ok') this.devices = answer.data;
  }

  async #measure(): Promise<void> {
    const answer = await this.ipc.callStats();
    if (answer.status === 'error') return;
    this.stats = answer.data;
    const forged = new Map(answer.data.peers.map(({ device, frames }) => [device, frames.forged]));
    this.#forged = this.#lately.take(forged, performance.now());
  }

  #unmeasured(): void {
    this.stats = null;
    this.#forged = new Map();
    this.#lately.forget();
  }

  #arrange(): Arrangement | null {
    const call = this.own ?? this.over;
    if (!call || call.participants.length === 0) return null;
    const all = places(call);
    const speaker = this.levels.speaker === null ? null : `camera.${this.levels.speaker}`;
    const large = largeOf(all, this.pinned, speaker);
    // Nobody need choose a layout to see a screen that somebody begins to share.
    return arrange(all, this.mode, large);
  }

  #entered(): void {
    this.stage = true;
    this.over = null;
    this.lobby = null;
    this.mode = 'grid';
    this.pinned = null;
    this.#unmeasured();
    this.talking = false;
    this.volumes.clear();
    this.levels.forget();
  }

  #ended(before: Call, call: Call): void {
    const asked = this.#leaving.delete(call.id);
    this.#left();
    if (asked) return;
    this.tell({ what: 'over', call });
    if (call.phase.phase !== 'over' || call.phase.why === 'ended') return;
    this.over = { ...call, participants: call.participants.length > 0 ? call.participants : before.participants };
    this.stage = true;
  }

  #left(): void {
    this.#wish = null;
    this.talking = false;
    this.#unmeasured();
    this.reactions = [];
    this.levels.forget();
    if (!this.over) this.stage = this.chat = false;
  }

  #settle(call: Call): void {
    const wish = this.#wish;
    const own = sendingOf(call.own);
    if (wish && wish.microphone === own.microphone && wish.camera === own.camera && wish.screen === own.screen) this.#wish = null;
  }

  #compare(before: Call, call: Call): void {
    const known = new Map(before.participants.map((one) => [one.device, one]));
    for (const one of call.participants) {
      const was = known.get(one.device);
      known.delete(one.device);
      if (one.me) continue;
      if (!was) this.tell({ what: 'joined', user: one.user });
      else {
        if (one.media.hand !== null && was.media.hand === null) this.tell({ what: 'hand', user: one.user });
        if (one.media.screen !== null && was.media.screen === null) this.tell({ what: 'shares', user: one.user });
        if (one.media.screen === null && was.media.screen !== null) this.tell({ what: 'sharesNot', user: one.user });
      }
    }
    for (const gone of known.values()) if (!gone.me) this.tell({ what: 'left', user: gone.user });
  }

  async #enter(asked: Promise<Answer<null>>): Promise<boolean> {
    const done = await this.#attempt(asked);
    if (done) this.lobby = null;
    return done;
  }

  async #attempt(asked: Promise<Answer<null>>): Promise<boolean> {
    const answer = await asked;
    if (answer.status === 'error') this.complain(answer.error);
    return answer.status === 'ok';
  }
}

export function sendingOf({ microphone, camera, screen }: Media): Sending {
  return { microphone, camera, screen };
}
