/**
 * Pulls the newest picture of one tile, at most one request at a time, at the
 * rate in which the screen is painted. Nothing queues, and a tile that nobody
 * sees asks for nothing. Knows neither canvas nor network.
 */
import type { Picture } from './painter';

export type Pulling = {
  /** The newest picture after this one; null where there is none. */
  pull: (after: number) => Promise<Picture | null>;
  /** False: it could not be drawn now. */
  draw: (picture: Picture) => boolean;
  /** Changes of what the tile can show. */
  stuck: (stuck: boolean) => void;
  frame: (run: (now: number) => void) => number;
  cancel: (frame: number) => void;
};

/** Frames without anything new until it is asked less often. */
const PATIENT = 4;
/** Most frames that are skipped between two requests. */
const SKIPPED = 6;
/** Without a new picture for so long, it does not move any more. */
const STUCK = 3_000;
/** Wait after a request that failed. */
const AFTER_FAILURE = 500;

export class Puller {
  #frame: number | null = null;
  #asking = false;
  #after = 0;
  #drawn = 0;
  #misses = 0;
  #skip = 0;
  #notBefore = 0;
  #newAt: number | null = null;
  #stuck = false;
  #run = 0;

  constructor(private readonly deeds: Pulling) {}

  /** Number of the picture that was drawn last. */
  get number(): number {
    return this.#drawn;
  }

  start(): void {
    if (this.#frame !== null) return;
    this.#run += 1;
    this.#newAt = null;
    this.#misses = 0;
    this.#next();
  }

  stop(): void {
    if (this.#frame === null) return;
    this.deeds.cancel(this.#frame);
    this.#frame = null;
    this.#run += 1;
  }

  /** The same picture again, for a canvas that lost it. */
  again(): void {
    this.#after = this.#drawn = 0;
  }

  #next(): void {
    this.#frame = this.deeds.frame((now) => {
      this.#next();
      this.#tick(now);
    });
  }

  #tick(now: number): void {
    this.#newAt ??= now;
    this.#mind(now - this.#newAt > STUCK);
    if (this.#asking || now < this.#notBefore) return;
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    void this.#ask(now, this.#run);
  }

  async #ask(now: number, run: number): Promise<void> {
    this.#asking = true;
    try {
      const picture = await this.deeds.pull(this.#after);
      if (run === this.#run) this.#take(picture, now);
    } catch {
      this.#notBefore = now + AFTER_FAILURE;
    } finally {
      this.#asking = false;
    }
  }

  #take(picture: Picture | null, now: number): void {
    if (!picture || picture.number === this.#drawn) {
      this.#misses += 1;
      this.#skip = this.#misses > PATIENT ? Math.min(SKIPPED, this.#misses - PATIENT) : 0;
      return;
    }
    this.#misses = 0;
    this.#skip = 0;
    if (!this.deeds.draw(picture)) return;
    this.#after = this.#drawn = picture.number;
    this.#newAt = now;
    this.#mind(false);
  }

  #mind(stuck: boolean): void {
    if (stuck === this.#stuck) return;
    this.#stuck = stuck;
    // A sender that began anew counts from one again.
    if (stuck) this.#after = 0;
    this.deeds.stuck(stuck);
  }
}
