/** Whether a room is connected and still fetching what was said meanwhile. Pure. */
import type { Room } from '../ipc/bindings';

export function catchingUp(room: Room, up: boolean): boolean {
  return up && room.standing.state === 'member' && !room.inSync;
}
