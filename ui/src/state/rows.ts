/** From timeline items to what the timeline shows: days, groups, the unread line. Pure. */
import type { Item } from '../ipc/bindings';
import { startOfDay } from '../text/time';

export type Row =
  | { type: 'start'; key: string }
  | { type: 'day'; key: string; at: number }
  | { type: 'unread'; key: string }
  | { type: 'item'; key: string; item: Item; /** Opens a group: shows picture, name and time. */ head: boolean };

/** Messages of one person this close together are one group. */
const GROUP = 5 * 60_000;

export type RowsInput = {
  items: Item[];
  more: boolean;
  /** Position up to which everything had been read when the room was opened; null for no line. */
  unreadAfter: number | null;
  me: string;
};

function author(item: Item): string | null {
  return item.kind.kind === 'message' ? item.kind.from : null;
}

export function timelineRows({ items, more, unreadAfter, me }: RowsInput): Row[] {
  const rows: Row[] = [];
  if (!more) rows.push({ type: 'start', key: 'start' });
  let before: Item | null = null;
  let lineDrawn = unreadAfter === null;
  for (const item of items) {
    const newDay = !before || startOfDay(before.at) !== startOfDay(item.at);
    // The key belongs to the message below: when older ones of the same day
    // are put before it, its heading is a new row and not a moved one.
    if (newDay) rows.push({ type: 'day', key: `day-${item.id}`, at: item.at });
    let newLine = false;
    if (!lineDrawn && item.position > (unreadAfter ?? 0) && author(item) !== me) {
      rows.push({ type: 'unread', key: 'unread' });
      lineDrawn = newLine = true;
    }
    const from = author(item);
    const head =
      from === null ||
      newDay ||
      newLine ||
      before === null ||
      author(before) !== from ||
      item.at - before.at > GROUP ||
      (item.kind.kind === 'message' && item.kind.replyTo !== null);
    rows.push({ type: 'item', key: item.id, item, head });
    before = item;
  }
  return rows;
}
