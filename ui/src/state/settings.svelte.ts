import type { Settings as Values, UiError } from '../ipc/bindings';
import type { Ipc } from '../ipc/client';
import { languageOf, speak } from '../text/index.svelte';

export const DEFAULTS: Values = {
  theme: 'system',
  density: 'comfortable',
  language: 'system',
  notifications: 'all',
  sound: true,
  pushToTalk: false,
  hideAddress: false,
  tellBusy: true,
  recoveryAsked: null,
};

export type Setting = keyof Values;

/** What the person chose, and the page that follows it. */
export class Settings {
  value = $state.raw<Values>(DEFAULTS);
  /** As the store has them. */
  #kept = DEFAULTS;
  /** Shown already, and on their way to the store, in this order. */
  #changes: Partial<Values>[] = [];
  #turn: Promise<void> = Promise.resolve();
  #system = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : null;

  constructor(
    private readonly ipc: Pick<Ipc, 'setSettings'>,
    private readonly lost: (what: Setting[], error: UiError) => void,
  ) {
    this.#system?.addEventListener?.('change', () => this.#paint());
  }

  take(kept: Values): void {
    this.#kept = kept;
    this.#show();
  }

  /** Shows at once; the store follows. What it does not keep is taken back. */
  change(part: Partial<Values>): Promise<void> {
    this.#changes.push(part);
    this.#show();
    // One after the other: each carries all settings, and none may carry what was refused.
    this.#turn = this.#turn.then(() => this.#keep(part));
    return this.#turn;
  }

  async #keep(part: Partial<Values>): Promise<void> {
    const wish = { ...this.#kept, ...part };
    const answer = await this.ipc.setSettings(wish);
    this.#changes = this.#changes.filter((one) => one !== part);
    this.take(answer.status === 'ok' ? wish : this.#kept);
    if (answer.status === 'error') this.lost(Object.keys(part) as Setting[], answer.error);
  }

  #show(): void {
    this.value = Object.assign({}, this.#kept, ...this.#changes) as Values;
    this.#paint();
    void speak(languageOf(this.value.language, navigator.languages));
  }

  #paint(): void {
    const { theme, density } = this.value;
    const dark = theme === 'dark' || (theme === 'system' && (this.#system?.matches ?? false));
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    document.documentElement.dataset.density = density;
    try {
      // Only for theme.js at the next start, before the store is open.
      localStorage.setItem('theme', theme);
    } catch {
      // Storage is off: the first paint follows the system.
    }
  }
}
