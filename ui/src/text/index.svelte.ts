/** The catalog in use. `t()` in a component or a derived value follows a change of language. */
import type { Settings } from '../ipc/bindings';
import { en } from './en';

export type Catalog = typeof en;
export type Language = 'en' | 'de';

let catalog = $state.raw<Catalog>(en);
let current = $state<Language>('en');

export function t(): Catalog {
  return catalog;
}

export function language(): Language {
  return current;
}

export function languageOf(setting: Settings['language'], system: readonly string[]): Language {
  if (setting !== 'system') return setting;
  const first = system.find((tag) => /^(en|de)\b/i.test(tag));
  return first?.toLowerCase().startsWith('de') ? 'de' : 'en';
}

/** German is its own file, loaded when it is spoken. */
export async function speak(next: Language): Promise<void> {
  const words = next === 'de' ? (await import('./de')).de : en;
  catalog = words;
  current = next;
  document.documentElement.lang = next;
}
