// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { Fineness } from './fineness';

/** Somebody sends 30 a second; the page paints as many as it can at a size. */
class Watching {
  now = 0;
  readonly fineness = new Fineness();
  readonly sizes: number[] = [];

  constructor(private readonly able: (scale: number) => number, private readonly sent = 30) {}

  for(seconds: number): this {
    const end = this.now + seconds * 1_000;
    while (this.now < end) {
      const rate = Math.min(this.sent, this.able(this.fineness.scale));
      this.now += 1_000 / rate;
      if (this.fineness.drew(Math.round(this.sent / rate), this.now)) this.sizes.push(this.fineness.scale);
    }
    return this;
  }
}

describe('how finely a picture is asked for', () => {
  it('is as it is shown where the page keeps up', () => {
    expect(new Watching(() => 60).for(60).sizes).toEqual([]);
  });

  it('becomes coarser until it moves, and no more', () => {
    const page = new Watching((scale) => 12 / scale);
    expect(page.for(9).sizes).toEqual([0.75, 0.5]);
  });

  it('is never coarser for who sends little', () => {
    expect(new Watching(() => 60, 5).for(60).sizes).toEqual([]);
  });

  it('becomes finer again when the page is free', () => {
    let busy = true;
    const page = new Watching((scale) => (busy ? 8 / scale : 60)).for(10);
    expect(page.fineness.scale).toBe(0.375);
    busy = false;
    expect(page.for(60).fineness.scale).toBe(1);
  });

  it('is tried finer ever more rarely where that fails', () => {
    const page = new Watching((scale) => (scale < 1 ? 30 : 10)).for(300);
    expect(page.sizes.filter((size) => size === 1).length).toBeLessThan(6);
  });

  it('counts nothing of a time when nobody looked', () => {
    const page = new Watching(() => 60).for(1);
    page.fineness.rest();
    expect(page.fineness.drew(500, page.now + 60_000)).toBe(false);
    expect(page.fineness.scale).toBe(1);
  });
});
