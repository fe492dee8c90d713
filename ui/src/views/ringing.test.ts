/** The window of a ringing call: who calls, and one answer. */
import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { FakeRinging, ringingScenes } from '../ipc/fake/ringing';
import Ringing from './Ringing.svelte';

const user = userEvent.setup();

async function opens(scene: string) {
  const ipc = new FakeRinging(ringingScenes[scene]!);
  render(Ringing, { ipc });
  await screen.findByTestId('ringing-window');
  return ipc;
}

describe('the window of a ringing call', () => {
  it('names caller and room and gives one answer', async () => {
    const ipc = await opens('ringing-window-video');
    expect(screen.getByTestId('ringing-caller').textContent).toBe('Carol Danvers');
    expect(screen.getByTestId('ringing-room').textContent).toBe('Field notes');
    expect(screen.getByTestId('ringing-window').dataset.verified).toBe('false');
    await user.click(screen.getByTestId('ringing-voice'));
    expect(ipc.answers).toEqual([['call', 'voice']]);
  });

  it('names nobody where notifications hide names', async () => {
    await opens('ringing-window-hidden');
    expect(screen.getByTestId('ringing-caller').textContent).toBe('Somebody');
    expect(screen.getByTestId('ringing-room').textContent).toContain('hide names');
  });

  it('takes keys only after a moment', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const ipc = await opens('ringing-window-voice');
    clock.mockReturnValue(400);
    await user.keyboard('{Enter}');
    expect(ipc.answers).toEqual([]);
    clock.mockReturnValue(2_000);
    await user.keyboard('{Enter}');
    expect(ipc.answers).toEqual([['call', 'voice']]);
  });

  it('goes on to the next call, and shows nothing when none is left', async () => {
    const ipc = await opens('ringing-window-voice');
    ipc.ring({ ...ringingScenes['ringing-window-video']!, id: 'next' });
    await waitFor(() => expect(screen.getByTestId('ringing-caller').textContent).toBe('Carol Danvers'));
    await user.click(screen.getByTestId('ringing-decline'));
    expect(ipc.answers).toEqual([['next', 'decline']]);
    ipc.ring(null);
    await waitFor(() => expect(screen.queryByTestId('ringing-window')).toBeNull());
  });
});
