/** Sentences for what Rust reports as codes. */
import type { Keyring, Problem, Settings, UiError } from '../ipc/bindings';
import type { Catalog, Language } from './index.svelte';
import { span } from './time';

export type Said = { what: string; then: string };

/** What happened, what is safe, what to do. */
export function explain(t: Catalog, error: UiError): Said {
  const said = t.errors[error.code] ?? t.errors.internal;
  if (error.code === 'badLink' && error.link) return { what: t.links[error.link], then: '' };
  return said;
}

export function sentence({ what, then }: Said): string {
  return then ? `${what} ${then}` : what;
}

export function explainProblem(t: Catalog, language: Language, problem: Problem): Said {
  switch (problem.type) {
    case 'diskFull':
      return t.problems.diskFull;
    case 'storeLocked':
      return t.problems.storeLocked;
    case 'diskFailing':
      return t.problems.diskFailing;
    case 'clockWrong': {
      const by = span(language, Math.abs(problem.aheadMs));
      return problem.aheadMs > 0 ? t.problems.clockAhead(by) : t.problems.clockBehind(by);
    }
    case 'keyringGone':
      return t.problems.keyringGone;
  }
}

export function keyringWhy(t: Catalog, keyring: Keyring): string {
  return t.keyring[keyring].why;
}

/** Who is typing; whose name is not known is somebody. */
export function typingWords(t: Catalog, names: (string | null)[]): string {
  const [first, second, more] = names.map((name) => name ?? t.common.somebody);
  if (!first) return '';
  if (more) return t.timeline.typingMany;
  return second ? t.timeline.typingTwo(first, second) : t.timeline.typingOne(first);
}

/** Which settings the store refused, by the names they have on their pages, and why. */
export function notKept(t: Catalog, what: (keyof Settings)[], error: UiError): Said {
  const names: Record<keyof Settings, string> = {
    theme: t.settings.theme,
    density: t.settings.density,
    language: t.settings.language,
    notifications: t.settings.notify,
    sound: t.settings.sound,
    pushToTalk: t.devices.pushToTalk,
    hideAddress: t.security.hideAddress,
    tellBusy: t.settings.tellBusy,
    recoveryAsked: t.recovery.asked,
  };
  return { what: t.settings.notKept(what.map((one) => names[one]).join(', ')), then: sentence(explain(t, error)) };
}
