/** How far an own message came, from what the relay and the others say. Pure. */
import type { Item, Person } from '../ipc/bindings';

export type Mark =
  | { state: 'pending' }
  | { state: 'failed' }
  | { state: 'sent' }
  | { state: 'delivered'; to: number; of: number }
  | { state: 'read'; by: Person[]; everyone: boolean };

export function markOf(item: Item, people: Person[]): Mark | null {
  if (item.kind.kind !== 'message') return null;
  if (item.kind.delivery === 'failed') return { state: 'failed' };
  const { seq } = item;
  if (item.kind.delivery === 'pending') return { state: 'pending' };
  const others = people.filter((person) => !person.me);
  if (seq === null || others.length === 0) return { state: 'sent' };
  const by = others.filter((person) => person.read >= seq);
  if (by.length > 0) return { state: 'read', by, everyone: by.length === others.length };
  const to = others.filter((person) => person.delivered >= seq).length;
  return to > 0 ? { state: 'delivered', to, of: others.length } : { state: 'sent' };
}
