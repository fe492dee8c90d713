import { beforeEach, describe, expect, it, vi } from 'vitest';
import { TypingSignal } from './typing';

describe('typing', () => {
  let told: string[];
  let signal: TypingSignal;
  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    signal = new TypingSignal((room, on) => told.push(`${room} ${on ? 'on' : 'off'}`));
  });

  it('is told once for many keys, and again after a while', () => {
    for (let i = 0; i < 10; i++) signal.typed('a');
    expect(told).toEqual(['a on']);
    vi.advanceTimersByTime(4_500);
    signal.typed('a');
    expect(told).toEqual(['a on', 'a on']);
  });

  it('ends by itself when the keys rest', () => {
    signal.typed('a');
    vi.advanceTimersByTime(6_000);
    expect(told).toEqual(['a on', 'a off']);
  });

  it('ends in one room before it begins in another', () => {
    signal.typed('a');
    signal.typed('b');
    expect(told).toEqual(['a on', 'a off', 'b on']);
  });
});
