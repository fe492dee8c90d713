import { describe, expect, it } from 'vitest';
import type { Person } from '../ipc/bindings';
import { emptyRoom, person } from '../ipc/fake/world';
import { shieldOf } from './shield';

const room = emptyRoom('r', 'ws://r', 'Room', null);
const me: Person = { ...person('alice', 'Alice', 0), me: true };
const someone = (name: string, verified: boolean): Person => ({ ...person(name, name, 0), verifiedAt: verified ? 1 : null });

describe('the shield', () => {
  it('says who is not verified', () => {
    expect(shieldOf(room, [me, someone('bob', true), someone('carol', false)])).toMatchObject({ state: 'allBut' });
    expect(shieldOf(room, [me, someone('bob', false)])).toMatchObject({ state: 'one' });
    expect(shieldOf(room, [me, someone('bob', false), someone('carol', false)])).toEqual({ state: 'none' });
    expect(shieldOf(room, [me, someone('bob', true)])).toEqual({ state: 'verified' });
  });
  it('counts when there are too many to name', () => {
    const people = [me, someone('a', true), someone('b', false), someone('c', false), someone('d', false)];
    expect(shieldOf(room, people)).toEqual({ state: 'some', count: 3 });
  });
  it('never claims what it has not seen', () => {
    expect(shieldOf({ ...room, memberCount: 4, unverified: 2 }, [])).toEqual({ state: 'some', count: 2 });
    expect(shieldOf({ ...room, standing: { state: 'knocking' } }, [])).toEqual({ state: 'waiting' });
    expect(shieldOf({ ...room, standing: { state: 'lost' } }, [me])).toEqual({ state: 'out' });
  });
});
