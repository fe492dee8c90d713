import type { Settings as Values } from '../ipc/bindings';
import type { Ipc } from '../ipc/client';
import { languageOf, speak } from '../text/index.svelte';

export const DEFAULTS: Values = {
  theme: 'system',
  density: 'comfortable',
  language: 'system',
  notifications: 'all',
  sound: true,
  pushToTalk: false,
  recoveryAsked: null,
};

/** What the person chose, and the page that follows it. */
export class Settings {
  value = $state.raw<Values>(DEFAULTS);
  #system = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : null;

  constructor(private readonly ipc: Ipc) {
    this.#system?.addEventListener?.('change', () => this.#paint());
  }

  take(value: Values): void {
    this.value = value;
    this.#paint();
    void speak(languageOf(value.language, navigator.languages));
  }

  /** Shows at once; the store follows. */
  async change(part: Partial<Values>): Promise<void> {
    this.take({ ...this.value, ...part });
    await this.ipc.setSettings(this.value);
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
