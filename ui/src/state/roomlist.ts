/** From rooms to the rows of the list. Pure. */
import type { Room } from '../ipc/bindings';

export type RoomRow =
  | { type: 'room'; key: string; room: Room }
  | { type: 'heading'; key: string; section: 'pinned' | 'rooms' }
  | { type: 'fold'; key: string; count: number; open: boolean; unread: number };

/** Matches whatever the case and the accents. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

function newestFirst(a: Room, b: Room): number {
  return b.activeAt - a.activeAt || (a.id < b.id ? -1 : 1);
}

export function roomRows(rooms: Room[], filter: string, archivedOpen: boolean): RoomRow[] {
  const wanted = fold(filter.trim());
  const row = (room: Room): RoomRow => ({ type: 'room', key: room.id, room });
  const sorted = [...rooms].sort(newestFirst);
  if (wanted) return sorted.filter((room) => fold(room.name).includes(wanted)).map(row);

  const archived = sorted.filter((room) => room.archived);
  const shown = sorted.filter((room) => !room.archived);
  const pinned = shown.filter((room) => room.pinned);
  const others = shown.filter((room) => !room.pinned);
  const rows: RoomRow[] = [];
  if (pinned.length > 0) {
    rows.push({ type: 'heading', key: 'pinned', section: 'pinned' }, ...pinned.map(row));
    if (others.length > 0) rows.push({ type: 'heading', key: 'rooms', section: 'rooms' });
  }
  rows.push(...others.map(row));
  if (archived.length > 0) {
    const unread = archived.reduce((sum, room) => sum + room.unread, 0);
    rows.push({ type: 'fold', key: 'archived', count: archived.length, open: archivedOpen, unread });
    if (archivedOpen) rows.push(...archived.map(row));
  }
  return rows;
}

/** The room before or after another in the list; wraps around. */
export function neighbor(rows: RoomRow[], from: string | null, step: 1 | -1, wanted = (_: Room) => true): string | null {
  const rooms = rows.flatMap((row) => (row.type === 'room' ? [row.room] : []));
  if (rooms.length === 0) return null;
  const at = rooms.findIndex((room) => room.id === from);
  for (let i = 1; i <= rooms.length; i++) {
    const index = at < 0 ? (step > 0 ? i - 1 : rooms.length - i) : (at + step * i + rooms.length * 2) % rooms.length;
    const room = rooms[index];
    if (room && room.id !== from && wanted(room)) return room.id;
  }
  return null;
}
