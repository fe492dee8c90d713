import type { Said } from '../text/words';

export type Tone = 'plain' | 'good' | 'bad';
export type Notice = Said & { id: number; tone: Tone; action: { label: string; run: () => void } | null };

const STAYS = 5_000;
/** What went wrong has to be read, not caught. */
const STAYS_BAD = 12_000;
const AT_ONCE = 4;

/** Toasts: short words that go away by themselves. */
export class Notices {
  list = $state.raw<Notice[]>([]);
  #next = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  say(tone: Tone, said: Said, action: Notice['action'] = null): void {
    const same = this.list.find((one) => one.what === said.what && one.then === said.then);
    if (same) this.dismiss(same.id);
    const id = this.#next++;
    this.list = [...this.list, { ...said, id, tone, action }].slice(-AT_ONCE);
    this.release(id);
  }

  good(what: string, then = ''): void {
    this.say('good', { what, then });
  }

  /** Keeps a notice while somebody reads it. */
  hold(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  release(id: number): void {
    const notice = this.list.find((one) => one.id === id);
    if (!notice) return;
    this.hold(id);
    const stays = notice.tone === 'bad' ? STAYS_BAD : STAYS;
    this.#timers.set(
      id,
      setTimeout(() => this.dismiss(id), stays),
    );
  }

  dismiss(id: number): void {
    this.hold(id);
    this.list = this.list.filter((one) => one.id !== id);
  }
}
