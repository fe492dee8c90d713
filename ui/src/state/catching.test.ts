import { describe, expect, it } from 'vitest';
import { emptyRoom } from '../ipc/fake/world';
import { catchingUp } from './catching';

const room = emptyRoom('r', 'ws://r', 'Room', null);

describe('catching up', () => {
  it('is said of a connected room that is not in step', () => {
    expect(catchingUp({ ...room, inSync: false }, true)).toBe(true);
    expect(catchingUp(room, true)).toBe(false);
  });
  it('is not said where something else is the matter', () => {
    expect(catchingUp({ ...room, inSync: false }, false)).toBe(false);
    expect(catchingUp({ ...room, inSync: false, standing: { state: 'knocking' } }, true)).toBe(false);
    expect(catchingUp({ ...room, inSync: false, standing: { state: 'left' } }, true)).toBe(false);
  });
});
