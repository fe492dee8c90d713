import { describe, expect, it, vi } from 'vitest';
import type { LinkStatus, Relay } from '../ipc/bindings';
import { Connection, secondsUntil, summarize } from './connection.svelte';

const relay = (address: string, status: LinkStatus): Relay => ({ address, label: address, builtIn: false, status });
const waits = (retryInMs: number): LinkStatus => ({ type: 'waiting', retryInMs, why: 'unreachable' });

describe('the connection', () => {
  it('has nothing to say without a relay', () => {
    expect(summarize([])).toEqual({ kind: 'none' });
  });

  it('counts down to the next try', () => {
    vi.useFakeTimers({ now: 1_000 });
    const connection = new Connection();
    connection.put(relay('a', waits(12_000)));
    const { summary } = connection;
    expect(summary).toMatchObject({ kind: 'waiting', retryAt: 13_000, others: 0 });
    expect(secondsUntil(13_000, 1_500)).toBe(12);
    expect(secondsUntil(13_000, 20_000)).toBe(0);
  });

  it('shows trouble first, and the soonest try of several', () => {
    const connection = new Connection();
    connection.take([relay('a', { type: 'connected' }), relay('b', waits(30_000)), relay('c', waits(5_000))]);
    expect(connection.summary).toMatchObject({ kind: 'waiting', relay: { address: 'c' }, others: 1 });
    connection.drop('b');
    connection.put(relay('c', { type: 'connecting' }));
    expect(connection.summary).toMatchObject({ kind: 'connecting' });
    connection.put(relay('c', { type: 'connected' }));
    expect(connection.summary).toMatchObject({ kind: 'connected' });
  });
});
