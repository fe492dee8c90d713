/**
 * Keys of the ringing card. It takes the focus away from whatever somebody
 * was typing: for a moment, and for as long as the typing goes on, no key
 * accepts or declines anything. Pure.
 */
const WAIT = 1_000;

export class Armed {
  #since: number;

  constructor(now: number) {
    this.#since = now;
  }

  /** What a key does; none of the rest of the typing reaches anything. */
  press(key: string, now: number): 'accept' | 'decline' | null {
    const ready = now - this.#since >= WAIT;
    if (key === 'Tab' || key === 'Shift') return null;
    this.#since = ready ? this.#since : now;
    if (!ready) return null;
    if (key === 'Enter') return 'accept';
    return key === 'Escape' ? 'decline' : null;
  }

  ready(now: number): boolean {
    return now - this.#since >= WAIT;
  }
}
