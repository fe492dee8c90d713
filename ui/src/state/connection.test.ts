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

  it('tells what an attempt came to, not what was before it', async () => {
    const connection = new Connection();
    connection.put(relay('a', waits(9_000)));
    const outcome = connection.outcome(async () => 'a', 1_000);
    await Promise.resolve();
    connection.put(relay('b', { type: 'connected' }));
    connection.put(relay('a', { type: 'connecting' }));
    connection.put(relay('a', { type: 'waiting', retryInMs: 9_000, why: 'wrongCode' }));
    expect(await outcome).toMatchObject({ why: 'wrongCode' });
  });

  it('takes an event that overtakes the answer, and a connection that is there', async () => {
    const connection = new Connection();
    const overtaken = await connection.outcome(async () => {
      connection.put(relay('a', { type: 'connected' }));
      return 'a';
    }, 1_000);
    expect(overtaken).toEqual({ type: 'connected' });
    expect(await connection.outcome(async () => 'a', 1_000)).toEqual({ type: 'connected' });
  });

  it('waits no longer than it may, and not at all for nothing', async () => {
    const connection = new Connection();
    expect(await connection.outcome(async () => 'a', 1)).toBeNull();
    expect(await connection.outcome(async () => null, 60_000)).toBeNull();
  });
});
