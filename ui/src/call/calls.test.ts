import { screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { fullWorld } from '../ipc/fake/worlds';
import type { App } from '../state/app.svelte';
import { opened, settled } from '../test/open';
import { Shown } from './shown';

const user = userEvent.setup();
const pressed = (id: string) => screen.getByTestId(id).getAttribute('aria-pressed');
const tiles = () => screen.getAllByTestId('tile').map((one) => one.dataset.user);

async function inField(): Promise<{ app: App; world: ReturnType<typeof fullWorld> }> {
  const world = fullWorld();
  const app = await opened(world);
  app.select('field');
  await screen.findByTestId('call-voice');
  return { app, world };
}

async function talking(...users: string[]) {
  const { app, world } = await inField();
  const call = world.phone.run('field', users, {});
  await screen.findByTestId('stage');
  return { app, world, call };
}

describe('calling', () => {
  it('asks in the lobby, calls, and shows who comes', async () => {
    const { world } = await inField();
    await user.click(screen.getByTestId('call-video'));
    await screen.findByTestId('lobby');
    expect(world.called('startCall')).toEqual([]);
    expect(world.called('preview')).toEqual([[true]]);
    await user.click(screen.getByTestId('lobby-microphone'));
    await user.click(screen.getByTestId('lobby-start'));
    const stage = await screen.findByTestId('stage');
    expect(world.called('startCall')).toEqual([['field', true, { microphone: false, camera: true, screen: null }]]);
    expect(world.called('preview')).toEqual([[true], [false]]);
    expect(stage.dataset.phase).toBe('calling');
    const [call] = [...world.phone.calls.values()];
    world.phone.come(call!.id, 'bob');
    await waitFor(() => expect(stage.dataset.phase).toBe('joined'));
    expect(tiles()).toEqual(['bob', 'alice']);
    expect(screen.getByTestId('call-announce').textContent).toBe('Bob joined the call');
  });

  it('opens no camera for a voice call', async () => {
    const { world } = await inField();
    await user.click(screen.getByTestId('call-voice'));
    await screen.findByTestId('lobby');
    await user.click(screen.getByTestId('lobby-cancel'));
    await waitFor(() => expect(screen.queryByTestId('lobby')).toBeNull());
    expect(world.called('preview')).toEqual([]);
  });

  it('joins the call that runs instead of starting another', async () => {
    const { world } = await inField();
    const call = world.phone.run('field', ['bob'], null);
    await user.click(await screen.findByTestId('call-join'));
    await user.click(await screen.findByTestId('lobby-start'));
    await screen.findByTestId('stage');
    expect(world.called('joinCall')[0]?.slice(0, 2)).toEqual(['field', call.id]);
    expect(world.called('startCall')).toEqual([]);
  });

  it('says why a call cannot start, and keeps the lobby', async () => {
    const { world } = await inField();
    world.failing.set('startCall', 'offline');
    await user.click(screen.getByTestId('call-voice'));
    await user.click(await screen.findByTestId('lobby-start'));
    expect((await screen.findByTestId('toast')).textContent).toContain('cannot be reached');
    expect(screen.getByTestId('lobby')).toBeTruthy();
  });
});

describe('a ringing call', () => {
  it('names caller and room, and whether they are verified', async () => {
    const { world } = await inField();
    world.phone.ring('kitchen', 'erin', true);
    const card = await screen.findByTestId('ringing');
    expect(card.dataset.verified).toBe('false');
    await waitFor(() => expect(screen.getByTestId('ringing-caller').textContent).toBe('Erin Nakamura'));
    expect(screen.getByTestId('ringing-room').textContent).toBe('Kitchen build');
  });

  it('is accepted with or without a picture', async () => {
    const { world } = await inField();
    world.phone.ring('field', 'bob', true);
    await user.click(await screen.findByTestId('ringing-voice'));
    await screen.findByTestId('stage');
    expect(world.called('joinCall')[0]?.[2]).toEqual({ microphone: true, camera: false, screen: null });
    expect(screen.queryByTestId('ringing')).toBeNull();
  });

  it('is declined', async () => {
    const { world } = await inField();
    world.phone.ring('field', 'bob', false);
    await user.click(await screen.findByTestId('ringing-decline'));
    await waitFor(() => expect(screen.queryByTestId('ringing')).toBeNull());
    expect(world.called('declineCall').length).toBe(1);
    expect(screen.queryByTestId('stage')).toBeNull();
  });

  it('is not taken by the Enter of somebody who is typing', async () => {
    const { world } = await inField();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    await user.type(screen.getByTestId('composer-input'), 'See you at');
    world.phone.ring('field', 'bob', true);
    const card = await screen.findByTestId('ringing');
    clock.mockReturnValue(400);
    await user.keyboard(' nine{Enter}');
    expect(world.called('joinCall')).toEqual([]);
    clock.mockReturnValue(2_000);
    within(card).getByTestId('ringing-caller');
    await user.keyboard('{Escape}');
    await waitFor(() => expect(world.called('declineCall').length).toBe(1));
  });

  it('ends the call one is in when it is accepted', async () => {
    const { world, call } = await talking('bob');
    world.phone.ring('kitchen', 'erin', false);
    await user.click(await screen.findByTestId('ringing-voice'));
    await waitFor(() => expect(screen.getByTestId('stage').dataset.call).not.toBe(call.id));
    expect(world.called('leaveCall')).toEqual([['field', call.id]]);
  });
});

describe('the stage', () => {
  it('mutes, turns the camera off and raises a hand at once', async () => {
    const { world, call } = await talking('bob');
    world.delay = 50;
    await user.click(screen.getByTestId('call-microphone'));
    expect(pressed('call-microphone')).toBe('false');
    await user.click(screen.getByTestId('call-camera'));
    expect(pressed('call-camera')).toBe('false');
    await waitFor(() => expect(world.phone.call(call.id).own).toMatchObject({ microphone: false, camera: false }));
    await user.click(screen.getByTestId('call-hand'));
    await waitFor(() => expect(pressed('call-hand')).toBe('true'));
  });

  it('takes back what was refused, and says so', async () => {
    const { world } = await talking('bob');
    world.failing.set('setSending', 'notInCall');
    await user.click(screen.getByTestId('call-microphone'));
    await screen.findByTestId('toast');
    expect(pressed('call-microphone')).toBe('true');
  });

  it('shares what was chosen, as text or motion', async () => {
    const { world, call } = await talking('bob');
    await user.click(screen.getByTestId('call-screen'));
    await screen.findByTestId('share');
    await user.click((await screen.findAllByTestId('share-source'))[2]!);
    await user.click(screen.getByTestId('share-mode-motion'));
    await user.click(screen.getByTestId('share-start'));
    await waitFor(() => expect(world.phone.call(call.id).own.screen).toBe('motion'));
    expect(world.called('chooseDevice')).toEqual([['screen', 'window:9']]);
    await user.click(screen.getByTestId('call-screen'));
    await waitFor(() => expect(world.phone.call(call.id).own.screen).toBe(null));
  });

  it('goes on in the corner while other rooms are read', async () => {
    const { app } = await talking('bob');
    await user.click(screen.getByTestId('call-minimize'));
    expect(await screen.findByTestId('mini')).toBeTruthy();
    app.select('kitchen');
    await settled();
    await user.click(screen.getByTestId('mini-microphone'));
    expect(pressed('mini-microphone')).toBe('false');
    await user.click(screen.getByTestId('mini-open'));
    expect(await screen.findByTestId('stage')).toBeTruthy();
  });

  it('makes way for a room that is opened', async () => {
    const { app } = await talking('bob');
    app.select('kitchen');
    expect(await screen.findByTestId('mini')).toBeTruthy();
  });

  it('opens the chat of its room beside it', async () => {
    const { app } = await talking('bob');
    app.rooms.select('kitchen');
    await user.click(screen.getByTestId('call-chat'));
    await waitFor(() => expect(screen.getByTestId('room-title').textContent).toBe('Field notes'));
    expect(screen.getByTestId('stage')).toBeTruthy();
  });

  it('shows reactions of everybody for a moment', async () => {
    const { world, call } = await talking('bob');
    await user.click(screen.getByTestId('call-react'));
    await user.click(await screen.findByTestId('reaction-0'));
    expect(world.called('react')).toEqual([[call.id, '👍']]);
    await waitFor(() => expect(screen.getByTestId('reaction').textContent).toContain('👍'));
  });

  it('closes when one leaves, and stays to say why it ended by itself', async () => {
    const { world } = await talking('bob');
    await user.click(screen.getByTestId('call-leave'));
    await waitFor(() => expect(screen.queryByTestId('stage')).toBeNull());
    const next = world.phone.run('field', [], {});
    await screen.findByTestId('stage');
    world.phone.end(next.id, 'unanswered');
    expect((await screen.findByTestId('stage-over')).dataset.why).toBe('unanswered');
    await user.click(screen.getByTestId('stage-over-close'));
    await waitFor(() => expect(screen.queryByTestId('stage-over')).toBeNull());
  });

  it('says how it ended even if the call goes on without us', async () => {
    const { world } = await talking();
    const [call] = [...world.phone.calls.values()];
    world.phone.put({ ...call!, phase: { phase: 'over', why: 'declined' }, participants: [] });
    world.phone.put({ ...call!, phase: { phase: 'running' } });
    expect((await screen.findByTestId('stage-over')).dataset.why).toBe('declined');
  });

  it('says in words what is missing', async () => {
    const { world, call } = await talking('bob');
    world.phone.turn(call.id, 'bob', { connection: { state: 'failed', why: 'noPath' } });
    await waitFor(() => expect(screen.getByTestId('tile-reason').textContent).toContain('No way through the network to Bob'));
    world.phone.turn(call.id, 'bob', { connection: { state: 'connected' }, keyMissing: true });
    await waitFor(() => expect(screen.getByTestId('tile-reason').textContent).toContain('Waiting for Bob’s key'));
  });

  it('is led by keys, in every room', async () => {
    await talking('bob');
    await user.keyboard('{Control>}{Shift>}f{/Shift}{/Control}');
    await screen.findByTestId('mini');
    await user.keyboard('{Control>}{Shift>}m{/Shift}{/Control}');
    expect(pressed('mini-microphone')).toBe('false');
  });
});

describe('push to talk', () => {
  it('opens a muted microphone while the space bar is held', async () => {
    const { app, world, call } = await talking('bob');
    await app.settings.change({ pushToTalk: true });
    await user.click(screen.getByTestId('call-microphone'));
    const open = () => world.phone.call(call.id).own.microphone;
    await waitFor(() => expect(open()).toBe(false));
    await user.keyboard('{ >}');
    await waitFor(() => expect(open()).toBe(true));
    await user.keyboard('{/ }');
    await waitFor(() => expect(open()).toBe(false));
    expect(app.calls.talking).toBe(false);
  });

  it('closes when the window loses the focus', async () => {
    const { app, world, call } = await talking('bob');
    await app.settings.change({ pushToTalk: true });
    await user.click(screen.getByTestId('call-microphone'));
    await user.keyboard('{ >}');
    dispatchEvent(new Event('blur'));
    await waitFor(() => expect(world.phone.call(call.id).own.microphone).toBe(false));
    await user.keyboard('{/ }');
  });

  it('is nothing where it was not asked for', async () => {
    const { world, call } = await talking('bob');
    world.phone.turn(call.id, 'alice', { media: { microphone: false } });
    screen.getByTestId('stage').focus();
    await user.keyboard('{ >}');
    expect(world.phone.call(call.id).own.microphone).toBe(false);
    await user.keyboard('{/ }');
  });
});

describe('the devices', () => {
  it('are chosen, and one that is gone stays chosen', async () => {
    const { world } = await talking('bob');
    world.phone.devices = { ...world.phone.devices, choices: { ...world.phone.devices.choices, camera: 'gone' } };
    await user.click(screen.getByTestId('call-devices'));
    const camera = (await screen.findByTestId('device-camera')) as HTMLSelectElement;
    expect(camera.value).toBe('gone');
    await user.selectOptions(screen.getByTestId('device-microphone'), 'headset');
    expect(world.called('chooseDevice')).toEqual([['microphone', 'headset']]);
  });
});

describe('missed calls', () => {
  it('stand in the timeline, with a way to call back', async () => {
    const { world } = await inField();
    world.note('field', { event: 'callEnded', by: { user: 'bob', name: 'Bob' }, video: true, lasted: 0, end: 'missed' });
    await user.click(await screen.findByTestId('call-back'));
    expect(await screen.findByTestId('lobby')).toBeTruthy();
    expect(world.called('preview')).toEqual([[true]]);
  });
});

describe('what is shown', () => {
  it('is told once for a burst, in steps, and the larger of two', () => {
    vi.useFakeTimers();
    const told: unknown[] = [];
    const shown = new Shown((tiles) => told.push(tiles));
    const [one, two] = [Symbol(), Symbol()];
    for (let width = 600; width < 641; width += 10) shown.put(one, { tile: 'camera.a.1', width, height: 360 });
    shown.put(two, { tile: 'camera.a.1', width: 160, height: 90 });
    vi.runAllTimers();
    expect(told).toEqual([[{ tile: 'camera.a.1', width: 640, height: 368 }]]);
    shown.put(one, { tile: 'camera.a.1', width: 642, height: 362 });
    vi.runAllTimers();
    expect(told.length).toBe(1);
    shown.put(one, null);
    shown.put(two, null);
    vi.runAllTimers();
    expect(told.at(-1)).toEqual([]);
  });
});
