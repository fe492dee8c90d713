/** What the problems that last mean for the rest of the window. Pure. */
import type { Problem } from '../ipc/bindings';

/** Nothing can be stored, so nothing is sent either, and no relay is to blame. */
export function storeFails(problems: Problem[]): boolean {
  return problems.some(({ type }) => type === 'diskFull' || type === 'storeLocked' || type === 'diskFailing');
}
