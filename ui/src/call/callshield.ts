/** What the shield of a call says, before its details. Pure. */
import type { Call, Participant } from '../ipc/bindings';
import { markOf, type Verdict } from './verdict';

export type CallShieldState = { state: 'all' } | { state: 'some'; count: number } | { state: 'opening' } | { state: 'broken' };

export function callShieldOf(call: Call): CallShieldState {
  const others = call.participants.filter((who) => !who.me);
  if (others.some((who) => who.connection.state === 'failed' && who.connection.why === 'certificate')) return { state: 'broken' };
  if (others.some((who) => who.connection.state === 'connected' && !who.confirmed)) return { state: 'opening' };
  const people = new Set(others.filter((who) => !who.verified).map((who) => who.user));
  return people.size === 0 ? { state: 'all' } : { state: 'some', count: people.size };
}

/** Whether a fresh key and a new way may help. What was refused for what it is stays refused. */
export function mendable(who: Participant, judged: Verdict): boolean {
  const { connection } = who;
  switch (connection.state) {
    case 'failed':
      return connection.why === 'noPath' || connection.why === 'silent';
    case 'reconnecting':
      return true;
    case 'connected':
      return who.keyMissing || markOf(judged) !== 'good';
    case 'none':
    case 'connecting':
      return false;
  }
}
