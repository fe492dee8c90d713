/** How loud everybody is, asked for as long as somebody looks. */
import { SvelteSet } from 'svelte/reactivity';
import type { CallSource, Levels as Measured, SourceTrouble } from '../ipc/bindings';
import type { Ipc } from '../ipc/client';
import { Speaking } from './speaking';

const EVERY = 100;

export class Levels {
  /** The own microphone, 0 to 100. */
  own = $state(0);
  /** What does not open of what is tried before a call. */
  #troubles = $state.raw<Measured['troubles']>([]);
  /** Whose ring is on, by user and device; `me` is oneself. */
  readonly voices = new SvelteSet<string>();
  speaker = $state<string | null>(null);
  #speaking = new Speaking();
  #watchers = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #asking = false;

  constructor(private readonly ipc: Ipc) {}

  /** Until the answer is called. */
  watch(): () => void {
    this.#watchers += 1;
    if (this.#watchers === 1) this.#timer = setInterval(() => void this.#ask(), EVERY);
    return () => {
      this.#watchers -= 1;
      if (this.#watchers > 0) return;
      clearInterval(this.#timer);
      this.own = 0;
      this.#troubles = [];
      this.voices.clear();
    };
  }

  trouble(source: CallSource): SourceTrouble | null {
    return this.#troubles.find((one) => one.source === source)?.why ?? null;
  }

  forget(): void {
    this.#speaking = new Speaking();
    this.speaker = null;
    this.voices.clear();
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const answer = await this.ipc.levels();
    this.#asking = false;
    if (answer.status === 'ok' && this.#watchers > 0) this.take(answer.data, performance.now());
  }

  take(levels: Measured, now: number): void {
    this.own = levels.microphone.loudness;
    this.#troubles = levels.troubles;
    const voices = this.#speaking.take(levels, 'me', now);
    for (const id of [...this.voices]) if (!voices.has(id)) this.voices.delete(id);
    for (const id of voices) this.voices.add(id);
    this.speaker = this.#speaking.speaker;
  }
}
