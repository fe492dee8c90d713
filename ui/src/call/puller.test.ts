// @vitest-environment node
import { describe, expect, it } from 'vitest';
import type { Picture } from './painter';
import { Puller } from './puller';

/** A screen that is painted when the test says so, and a sender behind a wire. */
class Screen {
  now = 0;
  asked: number[] = [];
  drawn: number[] = [];
  stuck: boolean[] = [];
  able = true;
  #frames = new Map<number, (now: number) => void>();
  #next = 1;
  #answers: ((picture: Picture | null) => void)[] = [];
  #failures: ((error: Error) => void)[] = [];
  readonly puller = new Puller({
    pull: (after) => {
      this.asked.push(after);
      return new Promise((answer, fail) => {
        this.#answers.push(answer);
        this.#failures.push(fail);
      });
    },
    draw: (picture) => {
      if (this.able) this.drawn.push(picture.number);
      return this.able;
    },
    stuck: (stuck) => this.stuck.push(stuck),
    frame: (run) => {
      const id = this.#next++;
      this.#frames.set(id, run);
      return id;
    },
    cancel: (id) => this.#frames.delete(id),
  });

  get waiting(): number {
    return this.#frames.size;
  }

  paint(times = 1): void {
    for (let i = 0; i < times; i++) {
      this.now += 16;
      const due = [...this.#frames.values()];
      this.#frames.clear();
      for (const run of due) run(this.now);
    }
  }

  async answer(number: number | null): Promise<void> {
    this.#failures.shift();
    this.#answers.shift()?.(number === null ? null : { number, width: 2, height: 2, planes: new Uint8Array(6) });
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
  }

  async fail(): Promise<void> {
    this.#answers.shift();
    this.#failures.shift()?.(new Error('gone'));
    for (let i = 0; i < 4; i++) await Promise.resolve();
  }
}

describe('pulling a tile', () => {
  it('asks for one picture at a time, however long it takes', async () => {
    const screen = new Screen();
    screen.puller.start();
    screen.paint(20);
    expect(screen.asked).toEqual([0]);
    await screen.answer(7);
    expect(screen.drawn).toEqual([7]);
    screen.paint();
    expect(screen.asked).toEqual([0, 7]);
  });

  it('asks for nothing while hidden, and drops what was on its way', async () => {
    const screen = new Screen();
    screen.puller.start();
    screen.paint();
    screen.puller.stop();
    expect(screen.waiting).toBe(0);
    await screen.answer(3);
    screen.paint(10);
    expect(screen.drawn).toEqual([]);
    expect(screen.asked).toEqual([0]);
    screen.puller.start();
    screen.paint();
    expect(screen.asked).toEqual([0, 0]);
  });

  it('asks less often of who sends nothing, and at once again when something comes', async () => {
    const screen = new Screen();
    screen.puller.start();
    for (let i = 0; i < 60; i++) {
      screen.paint();
      await screen.answer(null);
    }
    expect(screen.asked.length).toBeLessThan(25);
    while (screen.drawn.length === 0) {
      screen.paint();
      await screen.answer(1);
    }
    const before = screen.asked.length;
    for (let i = 2; i < 7; i++) {
      screen.paint();
      await screen.answer(i);
    }
    expect(screen.asked.length).toBe(before + 5);
  });

  it('says that a picture is stuck, once, and that it moves again', async () => {
    const screen = new Screen();
    screen.puller.start();
    screen.paint();
    await screen.answer(5);
    while (screen.now < 8_000) {
      screen.paint();
      // The same picture again, as it is asked for anew.
      await screen.answer(screen.asked.at(-1) === 0 ? 5 : null);
    }
    expect(screen.stuck).toEqual([true]);
    expect(screen.drawn).toEqual([5]);
    while (screen.drawn.length < 2) {
      screen.paint();
      await screen.answer(1);
    }
    expect(screen.drawn).toEqual([5, 1]);
    expect(screen.stuck).toEqual([true, false]);
  });

  it('draws the same picture again for a canvas that lost it', async () => {
    const screen = new Screen();
    screen.puller.start();
    screen.paint();
    await screen.answer(5);
    screen.puller.again();
    screen.paint();
    await screen.answer(5);
    expect(screen.drawn).toEqual([5, 5]);
  });

  it('waits after a failure, and goes on', async () => {
    const screen = new Screen();
    screen.puller.start();
    screen.paint();
    await screen.fail();
    screen.paint(10);
    expect(screen.asked.length).toBe(1);
    screen.paint(40);
    expect(screen.asked.length).toBe(2);
  });

  it('keeps asking for what could not be drawn', async () => {
    const screen = new Screen();
    screen.able = false;
    screen.puller.start();
    screen.paint();
    await screen.answer(5);
    screen.paint();
    expect(screen.asked).toEqual([0, 0]);
  });
});
