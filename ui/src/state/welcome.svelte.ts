import type { Profile, UiError } from '../ipc/bindings';
import type { App } from './app.svelte';

export type Where = 'here' | 'relay';
export type Invite = { relay: string; expires: number };
export const NAME_MAX = 64;

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
    return this.where === 'here' || (this.address.trim() !== '' && this.inviteError === null);
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
    if (!this.error) this.finish();
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
    if (!looksLikeInvite(text)) {
      const answer = await ipc.addRelay(text);
      return answer.status === 'error' ? answer.error : null;
    }
    const answer = await ipc.join(text);
    if (answer.status === 'error') return answer.error;
    this.app.select(answer.data);
    return null;
  }
}
