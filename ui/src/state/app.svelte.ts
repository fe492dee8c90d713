import { Calls } from '../call/calls.svelte';
import { hearCall } from '../call/hearing';
import type { ErrorCode, Event, Keyring, Me, Problem, Profile, Start, UiError } from '../ipc/bindings';
import type { Answer, Ipc } from '../ipc/client';
import { t } from '../text/index.svelte';
import { explain, notKept } from '../text/words';
import { Connection } from './connection.svelte';
import { Desk, ONE_COLUMN } from './desk.svelte';
import { apply } from './feed';
import { Notices } from './notices.svelte';
import { Rooms } from './rooms.svelte';
import { DEFAULTS, Settings } from './settings.svelte';

export type Phase =
  | { type: 'starting' }
  | { type: 'new'; keyring: Keyring }
  | Extract<Start, { type: 'locked' }>
  | { type: 'failed'; code: ErrorCode; stopped: boolean }
  | { type: 'open' };

/** Everything the page knows, and the one door it asks through. */
export class App {
  phase = $state.raw<Phase>({ type: 'starting' });
  me = $state.raw<Me | null>(null);
  problems = $state.raw<Problem[]>([]);
  /** An invite link that was clicked and not followed yet. */
  link = $state<string | null>(null);
  /** The welcome stays up while it still has to set up a relay. */
  settlingIn = $state(false);
  readonly rooms: Rooms;
  readonly connection = new Connection();
  readonly settings: Settings;
  readonly notices = new Notices();
  readonly desk = new Desk();
  readonly calls: Calls;
  /** The last thing that happened in the own call, for who listens to the screen. */
  heard = $state('');
  #listening = 0;
  #waiting: Event[] | null = [];

  constructor(readonly ipc: Ipc) {
    this.rooms = new Rooms(ipc, () => this.me);
    this.settings = new Settings(ipc, (what, error) => this.notices.say('bad', notKept(t(), what, error)));
    this.calls = new Calls(
      ipc,
      (error) => this.complain(error),
      (happening) => hearCall(this, happening),
    );
    this.settings.take(DEFAULTS);
  }

  /** Also the way back after the channel ran over: everything is taken anew. */
  async start(): Promise<void> {
    const mine = ++this.#listening;
    this.#waiting = [];
    const answer = await this.ipc.open((event) => {
      if (mine === this.#listening) this.#hear(event);
    });
    this.#arrive(answer);
  }

  async createProfile(profile: Profile, passphrase: string | null, useKeyring: boolean): Promise<UiError | null> {
    return this.#enter(this.ipc.createProfile(profile, passphrase, useKeyring));
  }

  async unlock(secret: string, kind: 'passphrase' | 'recovery'): Promise<UiError | null> {
    return this.#enter(this.ipc.unlock(secret, kind));
  }

  async retryKeyring(): Promise<UiError | null> {
    return this.#enter(this.ipc.retryKeyring());
  }

  /** What was asked for; after a failure, which it shows in words, undefined. */
  async attempt<T>(asked: Promise<Answer<T>>): Promise<T | undefined> {
    const answer = await asked;
    if (answer.status === 'ok') return answer.data;
    this.complain(answer.error);
    return undefined;
  }

  complain(error: UiError): void {
    this.notices.say('bad', explain(t(), error));
  }

  /** Opens a room to be read; a call that covers it goes into the corner. */
  select(room: string): void {
    this.rooms.select(room);
    this.desk.pane = 'room';
    if (!(this.calls.chat && this.calls.own?.room === room)) this.calls.stage = false;
  }

  async copy(text: string): Promise<boolean> {
    return (await this.attempt(this.ipc.copyText(text))) !== undefined;
  }

  /** A link was clicked, here or in another program. */
  offerLink(link: string): void {
    this.link = link;
    if (this.phase.type === 'open' && !this.settlingIn) this.desk.open({ type: 'join', link, clicked: true });
  }

  fail(code: ErrorCode): void {
    this.phase = { type: 'failed', code, stopped: true };
  }

  async #enter(asked: Promise<Answer<Start>>): Promise<UiError | null> {
    this.#waiting ??= [];
    const answer = await asked;
    if (answer.status === 'error') {
      this.#drain();
      return answer.error;
    }
    this.#arrive(answer);
    return null;
  }

  #arrive(answer: Answer<Start>): void {
    if (answer.status === 'error') {
      this.phase = { type: 'failed', code: answer.error.code, stopped: false };
    } else if (answer.data.type === 'open') {
      const { snapshot } = answer.data;
      this.me = snapshot.me;
      this.problems = snapshot.problems;
      this.connection.take(snapshot.relays);
      this.rooms.take(snapshot.rooms);
      this.settings.take(snapshot.settings);
      this.calls.take(snapshot.calls);
      for (const call of snapshot.calls) void this.rooms.meet(call.room, [call.by, ...call.participants.map((who) => who.user)]);
      this.phase = { type: 'open' };
      this.#openTheOnlyRoom();
      const link = snapshot.link ?? this.link;
      if (link) this.offerLink(link);
    } else if (answer.data.type === 'failed') {
      this.phase = { type: 'failed', code: answer.data.code, stopped: false };
    } else {
      this.phase = answer.data;
    }
    this.#drain();
  }

  /** There is nothing to choose. A narrow window shows the list first all the same. */
  #openTheOnlyRoom(): void {
    const [only, ...others] = this.rooms.all;
    if (only && others.length === 0 && this.rooms.selected === null && innerWidth >= ONE_COLUMN) this.rooms.select(only.id);
  }

  /** What comes before the snapshot waits for it. */
  #hear(event: Event): void {
    if (this.#waiting) this.#waiting.push(event);
    else apply(this, event);
  }

  #drain(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const event of waiting) apply(this, event);
  }
}
