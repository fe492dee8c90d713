import { describe, expect, it } from 'vitest';
import type { Room } from '../ipc/bindings';
import { emptyRoom } from '../ipc/fake/world';
import { neighbor, roomRows } from './roomlist';

const room = (id: string, part: Partial<Room> = {}): Room => ({ ...emptyRoom(id, 'ws://r', id, null), activeAt: 0, ...part });
const keys = (rooms: Room[], filter = '', open = false) => roomRows(rooms, filter, open).map((row) => row.key);

describe('the room list', () => {
  it('shows pinned rooms first, then the latest', () => {
    const rooms = [room('old', { activeAt: 1 }), room('new', { activeAt: 9 }), room('pin', { pinned: true })];
    expect(keys(rooms)).toEqual(['pinned', 'pin', 'rooms', 'new', 'old']);
  });

  it('folds archived rooms away until asked', () => {
    const rooms = [room('a'), room('gone', { archived: true, unread: 3 })];
    expect(keys(rooms)).toEqual(['a', 'archived']);
    expect(keys(rooms, '', true)).toEqual(['a', 'archived', 'gone']);
  });

  it('filters by name, whatever the case and the accents, archived ones too', () => {
    const rooms = [room('1', { name: 'Café' }), room('2', { name: 'Cafeteria', archived: true }), room('3', { name: 'Harbor' })];
    expect(keys(rooms, ' cafe')).toEqual(['1', '2']);
  });

  it('steps to the neighbor and wraps around', () => {
    const rows = roomRows([room('a', { activeAt: 3 }), room('b', { activeAt: 2, unread: 1 }), room('c', { activeAt: 1 })], '', false);
    expect(neighbor(rows, 'a', 1)).toBe('b');
    expect(neighbor(rows, 'a', -1)).toBe('c');
    expect(neighbor(rows, null, 1)).toBe('a');
    expect(neighbor(rows, 'c', 1, (one) => one.unread > 0)).toBe('b');
    expect(neighbor(rows, 'b', 1, (one) => one.unread > 0)).toBeNull();
  });
});
