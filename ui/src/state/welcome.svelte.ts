import type { LinkProblem, Profile, UiError } from '../ipc/bindings';
import { keepsOut } from './connection.svelte';
import type { App } from './app.svelte';

export type Where = 'here' | 'relay';
export type Invite = { relay: string; expires: number };
/** A relay that does not let this person in. */
export type Refusal = { relay: string; why: LinkProblem };
export const NAME_MAX = 64;
/** How long the welcome waits to hear from a relay, in milliseconds. Beyond it the app says how things stand. */
const PATIENCE = 8_000;

/** Whether a text is meant as an invite link: relay addresses never look like one. */
export function looksLikeInvite(text: string): boolean {
  return /^\s*sotto:/i.test(text) || /\/join\b|#.*[?&]/i.test(text);
}

/** From a name to a usable app: profile first, then the relay, then the link that was clicked. */
export class Welcome {
  name = $state('');
  emoji = $state('');
  color = $state(Math.floor(Math.random() * 12));
  where = $state<Where>('here');
  address = $state('');
  passphrase = $state('');
  localNetwork = $state(false);
  port = $state('');
  busy = $state(false);
  error = $state.raw<UiError | null>(null);
  invite = $state.raw<Invite | null>(null);
  inviteError = $state.raw<UiError | null>(null);
  profileMade = $state(false);
  refusal = $state.raw<Refusal | null>(null);
  code = $state('');
  #checked = 0;

  constructor(private readonly app: App) {
    if (app.link) void this.follow(app.link);
  }

  needsPassphrase(): boolean {
    return this.app.phase.type === 'new' && this.app.phase.keyring !== 'working';
  }

  ready(): boolean {
    const name = this.name.trim();
    if (this.busy || name === '' || [...name].length > NAME_MAX) return false;
    if (!this.profileMade && this.needsPassphrase() && this.passphrase === '') return false;
    if (this.asksForCode() && this.code.trim() === '') return false;
    return this.where === 'here' || (this.address.trim() !== '' && this.inviteError === null);
  }

  /** Whether the relay wants an invite code, and is the one that is asked. */
  asksForCode(): boolean {
    return this.where === 'relay' && (this.refusal?.why === 'needsCode' || this.refusal?.why === 'wrongCode');
  }

  /** A link that was clicked before the first start. */
  async follow(link: string): Promise<void> {
    this.where = 'relay';
    this.address = link;
    await this.check();
  }

  /** Says what a pasted link is, as soon as it is pasted. */
  async check(): Promise<void> {
    const mine = ++this.#checked;
    const text = this.address.trim();
    this.invite = null;
    this.inviteError = null;
    this.error = null;
    this.refusal = null;
    if (!looksLikeInvite(text)) return;
    const answer = await this.app.ipc.checkLink(text);
    if (mine !== this.#checked) return;
    if (answer.status === 'ok') this.invite = answer.data;
    else this.inviteError = answer.error;
  }

  async start(): Promise<void> {
    if (!this.ready()) return;
    this.busy = true;
    this.error = null;
    this.app.settlingIn = true;
    this.error = (await this.#makeProfile()) ?? (await this.#settle());
    this.busy = false;
    if (!this.error && !this.refusal) this.finish();
  }

  /** Into the app, with or without a relay. */
  finish(): void {
    const { link } = this.app;
    this.app.settlingIn = false;
    if (link && link !== this.address.trim()) this.app.offerLink(link);
    else this.app.link = null;
  }

  async #makeProfile(): Promise<UiError | null> {
    if (this.profileMade) return null;
    const profile: Profile = { name: this.name.trim(), emoji: this.emoji, color: this.color };
    const keyring = !this.needsPassphrase();
    const error = await this.app.createProfile(profile, keyring ? null : this.passphrase, keyring);
    if (!error && this.app.phase.type === 'open') this.profileMade = true;
    if (error) this.app.settlingIn = false;
    return error;
  }

  async #settle(): Promise<UiError | null> {
    const { ipc } = this.app;
    const text = this.address.trim();
    if (this.where === 'here') {
      const port = Number.parseInt(this.port, 10);
      const answer = await ipc.startBuiltInRelay(
        this.localNetwork ? 'localNetwork' : 'thisComputer',
        Number.isNaN(port) ? null : port,
      );
      return answer.status === 'error' ? answer.error : null;
    }
    return looksLikeInvite(text) ? this.#knock(text) : this.#add(text);
  }

  async #knock(link: string): Promise<UiError | null> {
    const { ipc } = this.app;
    let error: UiError | null = null;
    await this.#reach(async () => {
      const answer = await ipc.join(link);
      if (answer.status === 'error') {
        error = answer.error;
        return null;
      }
      this.app.select(answer.data);
      const relay = this.app.rooms.get(answer.data)?.relay ?? this.invite?.relay ?? null;
      if (relay !== null && this.#code() !== null) await ipc.addRelay(relay, this.#code());
      return relay;
    });
    return error;
  }

  async #add(address: string): Promise<UiError | null> {
    let error: UiError | null = null;
    await this.#reach(async () => {
      const answer = await this.app.ipc.addRelay(address, this.#code());
      if (answer.status === 'ok') return answer.data;
      error = answer.error;
      return null;
    });
    return error;
  }

  #code(): string | null {
    return this.asksForCode() ? this.code.trim() : null;
  }

  /** Stays here if the relay does not let this person in. Everything else mends itself, and is told in the app. */
  async #reach(ask: () => Promise<string | null>): Promise<void> {
    let relay: string | null = null;
    const status = await this.app.connection.outcome(async () => (relay = await ask()), PATIENCE);
    this.refusal = relay !== null && status?.type === 'waiting' && keepsOut(status.why) ? { relay, why: status.why } : null;
  }
}
