/** Who speaks, steadied: a ring does not flicker between words, and the large tile does not jump at every "mhm". Pure but for its memory. */
import type { Levels } from '../ipc/bindings';

/** The ring stays this long after the last sound. */
const HOLD = 700;
/** Somebody must have spoken this long to become the large one. */
const TAKES = 1_200;
/** And the large one stays at least this long. */
const STAYS = 2_500;

type Voice = { since: number; last: number };

export class Speaking {
  #voices = new Map<string, Voice>();
  #speaker: string | null = null;
  #changed = Number.NEGATIVE_INFINITY;

  /** Takes what was measured; `me` names oneself among the others. Answers whose ring is on. */
  take(levels: Levels, me: string, now: number): Set<string> {
    const heard = levels.peers.filter((one) => one.level.speaking).map((one) => voiceOf(one.user, one.device));
    if (levels.microphone.speaking) heard.push(me);
    for (const id of heard) {
      const voice = this.#voices.get(id);
      if (voice) voice.last = now;
      else this.#voices.set(id, { since: now, last: now });
    }
    for (const [id, voice] of this.#voices) if (now - voice.last > HOLD) this.#voices.delete(id);
    this.#choose(me, now);
    return new Set(this.#voices.keys());
  }

  /** Who is large; never oneself. */
  get speaker(): string | null {
    return this.#speaker;
  }

  #choose(me: string, now: number): void {
    if (this.#speaker !== null && this.#voices.has(this.#speaker)) return;
    if (this.#speaker !== null && now - this.#changed < STAYS) return;
    const [next] = [...this.#voices]
      .filter(([id, voice]) => id !== me && (this.#speaker === null || voice.last - voice.since >= TAKES))
      .sort(([, a], [, b]) => a.since - b.since);
    if (!next || next[0] === this.#speaker) return;
    this.#speaker = next[0];
    this.#changed = now;
  }
}

export function voiceOf(user: string, device: string): string {
  return `${user}.${device}`;
}
