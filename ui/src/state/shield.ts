/** The state of encryption and verification of a room, for one line of words. Pure. */
import type { Person, Room } from '../ipc/bindings';

export type Shield =
  | { state: 'out' }
  | { state: 'waiting' }
  | { state: 'alone' }
  | { state: 'verified' }
  | { state: 'one'; who: Person }
  | { state: 'allBut'; who: Person[] }
  | { state: 'some'; count: number }
  | { state: 'none' };

/** More names than this are a number. */
const NAMED = 2;

export function shieldOf(room: Room, people: Person[]): Shield {
  const { state } = room.standing;
  if (state === 'creating' || state === 'knocking') return { state: 'waiting' };
  if (state !== 'member') return { state: 'out' };
  const others = people.filter((person) => !person.me);
  if (others.length === 0) {
    if (room.memberCount <= 1) return { state: 'alone' };
    // The people are not loaded yet: the room's own count says as much.
    if (room.unverified === 0) return { state: 'verified' };
    return room.unverified === room.memberCount - 1 ? { state: 'none' } : { state: 'some', count: room.unverified };
  }
  const unverified = others.filter((person) => person.verifiedAt === null);
  const [first] = unverified;
  if (!first) return { state: 'verified' };
  if (others.length === 1) return { state: 'one', who: first };
  if (unverified.length === others.length) return { state: 'none' };
  return unverified.length <= NAMED ? { state: 'allBut', who: unverified } : { state: 'some', count: unverified.length };
}
