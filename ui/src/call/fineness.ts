/**
 * How finely a moving picture is asked for. A page that cannot paint as many
 * pictures as come (no graphics card, a busy computer) is better served by
 * smaller ones than by fewer: they are pulled, painted and, where nobody shows
 * them larger, encoded at that size. Pure.
 */

/** Shares of the tile's own size. */
const STEPS = [1, 0.75, 0.5, 0.375];
/** How long is looked before anything changes, ms. */
const LOOK = 1_500;
/** Smooth enough, pictures a second; whoever sends so many is never the cause. */
const SMOOTH = 20;
/** Share of pictures that came and were not painted. */
const MANY = 0.25;
const FEW = 0.05;
/** Until a finer one is tried; twice as long after each try that failed, ms. */
const TRY_AGAIN = 10_000;
const TRY_LATEST = 160_000;

export class Fineness {
  #step = 0;
  #since: number | null = null;
  #drawn = 0;
  #came = 0;
  #patience = TRY_AGAIN;
  #easySince: number | null = null;
  #triedAt = 0;

  get scale(): number {
    return STEPS[this.#step]!;
  }

  /** A picture was painted, so many after the last one. True: ask for another size. */
  drew(after: number, now: number): boolean {
    this.#since ??= now;
    this.#drawn += 1;
    this.#came += Math.max(1, after);
    const time = now - this.#since;
    if (time < LOOK) return false;
    const rate = (this.#drawn * 1_000) / time;
    const missed = 1 - this.#drawn / this.#came;
    this.#begin(now);
    return rate < SMOOTH && missed > MANY ? this.#coarser(now) : this.#finer(missed, now);
  }

  /** Nothing was watched for a while: what was counted says nothing. */
  rest(): void {
    this.#since = null;
    this.#drawn = this.#came = 0;
    this.#easySince = null;
  }

  #begin(now: number): void {
    this.#since = now;
    this.#drawn = this.#came = 0;
  }

  #coarser(now: number): boolean {
    this.#easySince = null;
    if (this.#step === STEPS.length - 1) return false;
    // It was just tried finer, and that was too much.
    if (now - this.#triedAt < 3 * LOOK && this.#triedAt > 0) this.#patience = Math.min(TRY_LATEST, this.#patience * 2);
    this.#step += 1;
    return true;
  }

  #finer(missed: number, now: number): boolean {
    if (this.#step === 0) return false;
    if (missed > FEW) {
      this.#easySince = null;
      return false;
    }
    this.#easySince ??= now;
    if (now - this.#easySince < this.#patience) return false;
    this.#easySince = null;
    this.#triedAt = now;
    this.#step -= 1;
    return true;
  }
}
