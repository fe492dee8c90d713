import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Notices } from './notices.svelte';

describe('notices', () => {
  beforeEach(() => void vi.useFakeTimers());

  it('go away by themselves, bad ones later', () => {
    const notices = new Notices();
    notices.good('Saved');
    notices.say('bad', { what: 'No', then: '' });
    vi.advanceTimersByTime(6_000);
    expect(notices.list.map((one) => one.what)).toEqual(['No']);
    vi.advanceTimersByTime(7_000);
    expect(notices.list).toEqual([]);
  });

  it('stay while somebody reads them', () => {
    const notices = new Notices();
    notices.good('Saved');
    const id = notices.list[0]!.id;
    notices.hold(id);
    vi.advanceTimersByTime(60_000);
    expect(notices.list).toHaveLength(1);
    notices.release(id);
    vi.advanceTimersByTime(6_000);
    expect(notices.list).toHaveLength(0);
  });

  it('never pile up, and never say the same twice', () => {
    const notices = new Notices();
    for (let i = 0; i < 9; i++) notices.good(`n${i % 6}`);
    expect(notices.list).toHaveLength(4);
    expect(new Set(notices.list.map((one) => one.what)).size).toBe(4);
  });
});
