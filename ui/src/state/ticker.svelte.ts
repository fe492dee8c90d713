import { createSubscriber } from 'svelte/reactivity';

/** The time, as often as somebody looks: no timer runs while nothing on screen needs it. */
class Ticker {
  #subscribe: () => void;

  constructor(ms: number) {
    this.#subscribe = createSubscriber((update) => {
      const timer = setInterval(update, ms);
      return () => clearInterval(timer);
    });
  }

  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

export const everySecond = new Ticker(1_000);
export const everyMinute = new Ticker(20_000);
