import { describe, expect, it } from 'vitest';
import type { Item, Person } from '../ipc/bindings';
import { person } from '../ipc/fake/world';
import { markOf } from './marks';

const item = (seq: number | null, delivery: 'pending' | 'accepted' | 'failed' = 'accepted'): Item => ({
  id: 'm',
  position: 1,
  seq,
  at: 0,
  kind: { kind: 'message', from: 'alice', name: 'Alice', text: '', blocks: [], replyTo: null, delivery },
});
const me: Person = { ...person('alice', 'Alice', 0), me: true, read: 99, delivered: 99 };
const bob = (delivered: number, read: number): Person => ({ ...person('bob', 'Bob', 0), delivered, read });
const carol = (delivered: number, read: number): Person => ({ ...person('carol', 'Carol', 0), delivered, read });

describe('the mark of an own message', () => {
  it('is pending until the relay has it', () => {
    expect(markOf(item(null, 'pending'), [me, bob(0, 0)])).toEqual({ state: 'pending' });
  });
  it('is sent while nobody else has it', () => {
    expect(markOf(item(5), [me, bob(4, 4)])).toEqual({ state: 'sent' });
    expect(markOf(item(5), [me])).toEqual({ state: 'sent' });
  });
  it('counts whom it reached', () => {
    expect(markOf(item(5), [me, bob(5, 4), carol(4, 4)])).toEqual({ state: 'delivered', to: 1, of: 2 });
  });
  it('names who has read it', () => {
    const mark = markOf(item(5), [me, bob(5, 5), carol(5, 4)]);
    expect(mark).toMatchObject({ state: 'read', everyone: false });
    expect(mark?.state === 'read' && mark.by.map((one) => one.user)).toEqual(['bob']);
  });
  it('is failed when nobody will get it', () => {
    expect(markOf(item(null, 'failed'), [me])).toEqual({ state: 'failed' });
  });
});
