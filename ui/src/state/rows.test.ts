import { describe, expect, it } from 'vitest';
import type { Item, ItemKind } from '../ipc/bindings';
import { timelineRows } from './rows';

const NOON = new Date(2026, 10, 20, 12).getTime();

function message(position: number, from: string, at = NOON + position * 1000): Item {
  const kind: ItemKind = { kind: 'message', from, name: from, text: '', blocks: [], replyTo: null, delivery: 'accepted' };
  return { id: `m${position}`, position, seq: position, at, kind };
}

const show = (items: Item[], unreadAfter: number | null = null, more = true) =>
  timelineRows({ items, more, unreadAfter, me: 'alice' }).map((row) => (row.type === 'item' ? `${row.head ? '+' : ' '}${row.item.id}` : row.type));

describe('timeline rows', () => {
  it('group what one person writes within minutes', () => {
    const later = message(4, 'bob', NOON + 20 * 60_000);
    expect(show([message(1, 'bob'), message(2, 'bob'), message(3, 'carol'), later])).toEqual(['day', '+m1', ' m2', '+m3', '+m4']);
  });

  it('mark each day once', () => {
    const yesterday = message(1, 'bob', NOON - 86_400_000);
    expect(show([yesterday, message(2, 'bob'), message(3, 'bob')])).toEqual(['day', '+m1', 'day', '+m2', ' m3']);
  });

  it('draw the unread line before the first message of somebody else', () => {
    expect(show([message(1, 'bob'), message(2, 'alice'), message(3, 'bob'), message(4, 'bob')], 1)).toEqual([
      'day',
      '+m1',
      '+m2',
      'unread',
      '+m3',
      ' m4',
    ]);
  });

  it('begin with the beginning once everything is read back', () => {
    expect(show([message(1, 'bob')], null, false)[0]).toBe('start');
  });

  it('keep their keys when older messages are put before them', () => {
    const keys = (items: Item[]) => timelineRows({ items, more: true, unreadAfter: null, me: 'alice' }).map((row) => row.key);
    const before = keys([message(5, 'bob'), message(6, 'bob')]);
    const after = keys([message(4, 'bob'), message(5, 'bob'), message(6, 'bob')]);
    expect(after.slice(-2)).toEqual(before.slice(-2));
    expect(new Set(after).size).toBe(after.length);
    expect(after[0]).not.toBe(before[0]);
  });
});
