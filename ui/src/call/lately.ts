/** How much of counts that only grow is new. Pure. */

const LATELY = 10_000;

export class Lately {
  #before: { at: number; counts: Map<string, number> }[] = [];

  /** Nothing is new at the first look: when it came is not known. */
  take(counts: Map<string, number>, now: number): Map<string, number> {
    this.#before = this.#before.filter(({ at }) => now - at <= LATELY);
    const base = this.#before[0]?.counts ?? counts;
    this.#before.push({ at: now, counts });
    return new Map([...counts].map(([key, count]) => [key, Math.max(0, count - (base.get(key) ?? 0))]));
  }

  forget(): void {
    this.#before = [];
  }
}
