import { screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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
    expect(world.called('preview')).toEqual([[true, true]]);
    await user.click(screen.getByTestId('lobby-microphone'));
    await user.click(screen.getByTestId('lobby-start'));
    const stage = await screen.findByTestId('stage');
    expect(world.called('startCall')).toEqual([['field', true, { microphone: false, camera: true, screen: null }]]);
    // The camera is not closed and opened in between.
    expect(world.called('preview')).toEqual([
      [true, true],
      [false, true],
      [false, false],
    ]);
    expect(stage.dataset.phase).toBe('calling');
    const [call] = [...world.phone.calls.values()];
    world.phone.come(call!.id, 'bob');
    await waitFor(() => expect(stage.dataset.phase).toBe('joined'));
    expect(tiles()).toEqual(['bob', 'alice']);
    expect(screen.getByTestId('call-announce').textContent).toBe('Bob joined the call');
  });

  it('says in the shield who can learn the network address', async () => {
    const { world, call } = await talking('bob');
    const route = async () => (await screen.findByTestId('call-route')).dataset.state;
    await user.click(screen.getByTestId('call-shield'));
    expect(await route()).toBe(call.route);
    world.phone.change(call.id, { route: 'exposed' });
    await waitFor(async () => expect(await route()).toBe('exposed'));
    expect(screen.getByTestId('call-route').textContent).toContain('cannot relay calls');
    world.phone.change(call.id, { route: 'relayed' });
    await waitFor(async () => expect(await route()).toBe('relayed'));
  });

  it('does not begin where the address cannot be hidden as it should be', async () => {
    const { app, world } = await inField();
    world.phone.relays = false;
    await app.settings.change({ hideAddress: true });
    await user.click(screen.getByTestId('call-voice'));
    await user.click(await screen.findByTestId('lobby-start'));
    await waitFor(() => expect(document.body.textContent).toContain('is to stay hidden'));
    expect(world.phone.calls.size).toBe(0);
  });

  it('shows the level of the microphone for a voice call, and opens no camera', async () => {
    const { world } = await inField();
    world.phone.loud.add('me');
    await user.click(screen.getByTestId('call-voice'));
    const lobby = within(await screen.findByTestId('lobby'));
    expect(world.called('preview')).toEqual([[true, false]]);
    await waitFor(() => expect(Number(lobby.getByTestId('level').dataset.level)).toBeGreaterThan(20));
    await user.click(screen.getByTestId('lobby-microphone'));
    expect(lobby.queryByTestId('level')).toBeNull();
    await user.click(screen.getByTestId('lobby-cancel'));
    await waitFor(() => expect(screen.queryByTestId('lobby')).toBeNull());
    expect(world.called('preview')).toEqual([
      [true, false],
      [false, false],
      [false, false],
    ]);
  });

  it('says in the lobby what does not open, and why', async () => {
    const { world } = await inField();
    world.phone.dark.add('own-camera');
    await user.click(screen.getByTestId('call-video'));
    const lobby = within(await screen.findByTestId('lobby'));
    const picture = lobby.getByTestId('lobby-picture');
    expect(picture.dataset.why).toBeUndefined();
    world.phone.troubles = [
      { source: 'camera', why: 'busy' },
      { source: 'microphone', why: 'noDevice' },
      { source: 'speaker', why: 'broken' },
    ];
    await waitFor(() => expect(picture.dataset.why).toBe('busy'));
    expect(picture.textContent).toContain('Another program uses the camera');
    expect(lobby.getByTestId('device-trouble').textContent).toContain('There is no microphone');
    expect(lobby.getByTestId('speaker-trouble').textContent).toContain('The speaker does not work');
    world.phone.troubles = [];
    await waitFor(() => expect(lobby.queryByTestId('device-trouble')).toBeNull());
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

  it('is joined when it was accepted in its own window, and only while it rings', async () => {
    const { app, world } = await inField();
    world.phone.ring('field', 'bob', true);
    const card = await screen.findByTestId('ringing');
    app.calls.accepted('another', true);
    expect(world.called('joinCall')).toEqual([]);
    app.calls.accepted(card.dataset.call!, true);
    await screen.findByTestId('stage');
    app.calls.accepted(card.dataset.call!, true);
    expect(world.called('joinCall').map((said) => said[2])).toEqual([{ microphone: true, camera: true, screen: null }]);
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

  it('says of others which device does not work', async () => {
    const { world, call } = await talking('bob');
    const troubles = { microphone: 'vanished', camera: 'busy', screen: null } as const;
    world.phone.turn(call.id, 'bob', { media: { troubles } });
    const tile = () => screen.getAllByTestId('tile').find((one) => one.dataset.user === 'bob')!;
    await waitFor(() => expect(tile().dataset.missing).toBe('busy'));
    expect(within(tile()).getByTestId('tile-reason').textContent).toBe('Bob: another program uses the camera');
    expect(within(tile()).getByTestId('tile-unheard').textContent).toBe('Bob cannot be heard: the microphone is gone');
    expect(tile().dataset.muted).toBe('true');
    expect(tile().getAttribute('aria-label')).toContain('Bob cannot be heard');
    world.phone.turn(call.id, 'bob', { media: { troubles: { microphone: null, camera: null, screen: null } } });
    await waitFor(() => expect(tile().dataset.unheard).toBe(''));
    expect(tile().dataset.muted).toBe('false');
  });

  it('says that the others are not heard, whatever is sent', async () => {
    const { world, call } = await talking('bob');
    world.phone.turn(call.id, 'alice', { media: { microphone: false, camera: false } });
    world.phone.change(call.id, {
      troubles: [
        { source: 'speaker', why: 'vanished' },
        { source: 'camera', why: 'busy' },
      ],
    });
    const trouble = await screen.findByTestId('call-trouble');
    expect(trouble.dataset.source).toBe('speaker');
    expect(trouble.textContent).toContain('You do not hear the others');
  });

  it('says who is in another call while it rings there', async () => {
    const { world } = await inField();
    await user.click(screen.getByTestId('call-voice'));
    await user.click(await screen.findByTestId('lobby-start'));
    const state = await screen.findByTestId('stage-state');
    expect(state.textContent).toBe('Calling…');
    const [call] = [...world.phone.calls.values()];
    world.phone.change(call!.id, { busy: ['bob'] });
    await waitFor(() => expect(state.textContent).toBe('Bob is in another call'));
    world.phone.end(call!.id, 'busy');
    expect((await screen.findByTestId('stage-over')).textContent).toContain('in another call');
    expect(screen.getByTestId('stage-over-again')).toBeTruthy();
  });

  it('is repaired with one person, and not twice at once', async () => {
    const { world, call } = await talking('bob', 'dan');
    world.phone.turn(call.id, 'bob', { keyMissing: true });
    await user.click(screen.getByTestId('call-shield'));
    const repair = await screen.findByTestId<HTMLButtonElement>('call-repair');
    await user.click(repair);
    expect(world.called('repairCall')).toEqual([[call.id, 'bob', 'bob-1']]);
    expect(screen.getByTestId<HTMLButtonElement>('call-repair').disabled).toBe(true);
    await waitFor(() => expect(world.phone.call(call.id).participants[1]!.keyMissing).toBe(false));
  });

  it('keeps in the shield what was forged, and makes a verdict only of what is new', async () => {
    const { world } = await inField();
    const frames = (forged: number) => ({ frames: { opened: 900, forged, replayed: 0, malformed: 0, withoutKey: 0 } });
    world.phone.measured.set('bob', frames(2));
    world.phone.run('field', ['bob'], {});
    await user.click(await screen.findByTestId('call-shield'));
    const forged = await screen.findByTestId('call-forged');
    expect(forged.textContent).toBe('2 packets not authentic, refused');
    expect(screen.queryByTestId('call-repair')).toBeNull();
    world.phone.measured.set('bob', frames(3));
    expect(await screen.findByTestId('call-repair')).toBeTruthy();
    expect(forged.textContent).toBe('3 packets not authentic, refused');
  });

  it('tells in its numbers how a connection came about, and what stood still', async () => {
    const { world } = await talking('bob');
    const camera = { width: 1280, height: 720, fps: 24, bitrate: 900_000, loss: 0, freezes: 2, frozenMs: 4_230 };
    world.phone.measured.set('bob', { camera });
    await user.click(screen.getByTestId('call-stats'));
    const numbers = await screen.findByTestId('stats-numbers');
    await waitFor(() => expect(numbers.textContent).toContain('2 freezes, 4.2\u00a0s'));
    const ms = (step: string, value: number) => `${step}\u00a0${value}\u00a0ms`;
    const steps = [ms('offer', 4), ms('answer', 31), ms('ICE', 52), ms('DTLS', 74), ms('first\u00a0sound', 96), ms('first\u00a0picture', 131)];
    expect(numbers.textContent).toContain(steps.join('\u00a0· '));
    const own = screen.getByTestId('stats-own').textContent;
    expect(own).toContain('30\u00a0kbit/s');
    expect(own).toContain('12:41');
  });

  it('offers a repair again when one was refused', async () => {
    const { world, call } = await talking('bob');
    world.failing.set('repairCall', 'notInCall');
    world.phone.turn(call.id, 'bob', { keyMissing: true });
    await user.click(screen.getByTestId('call-shield'));
    await user.click(await screen.findByTestId('call-repair'));
    await screen.findByTestId('toast');
    expect(screen.getByTestId<HTMLButtonElement>('call-repair').disabled).toBe(false);
  });

  it('is led by keys, in every room', async () => {
    await talking('bob');
    await user.keyboard('{Control>}{Shift>}f{/Shift}{/Control}');
    await screen.findByTestId('mini');
    await user.keyboard('{Control>}{Shift>}m{/Shift}{/Control}');
    expect(pressed('mini-microphone')).toBe('false');
  });
});

describe('the own shared screen', () => {
  it('is told on the stage and beside every room, and stopped from there', async () => {
    const { app, world, call } = await talking('bob');
    const share = () => world.phone.turn(call.id, 'alice', { media: { screen: 'text' } });
    const shared = () => world.phone.call(call.id).own.screen;
    const stops = async (place: HTMLElement) => {
      expect((await within(place).findByTestId('sharing')).textContent).toContain('You are sharing your screen');
      await user.click(within(place).getByTestId('sharing-stop'));
      await waitFor(() => expect(shared()).toBe(null));
      await waitFor(() => expect(within(place).queryByTestId('sharing')).toBeNull());
    };
    expect(screen.queryByTestId('sharing')).toBeNull();
    share();
    await stops(screen.getByTestId('stage'));
    app.calls.stage = false;
    share();
    await stops(await screen.findByTestId('mini'));
    share();
    await screen.findByTestId('call-bar');
    await waitFor(() => expect(screen.getAllByTestId('sharing')).toHaveLength(1));
    await stops(screen.getByTestId('mini'));
    app.select('kitchen');
    share();
    await stops(screen.getByTestId('mini'));
  });
});

describe('a call in a narrow window', () => {
  const wide = innerWidth;
  beforeEach(() => {
    window.innerWidth = 480;
  });
  afterEach(() => {
    window.innerWidth = wide;
  });

  it('is muted, left and seen to be shared while another room is read', async () => {
    const { app, world, call } = await talking('bob');
    app.select('kitchen');
    const bar = within(await screen.findByTestId('call-bar'));
    expect(screen.queryByTestId('mini')).toBeNull();
    world.phone.turn(call.id, 'alice', { media: { screen: 'text' } });
    await bar.findByTestId('sharing');
    await user.click(bar.getByTestId('call-bar-microphone'));
    expect(pressed('call-bar-microphone')).toBe('false');
    await waitFor(() => expect(world.phone.call(call.id).own.microphone).toBe(false));
    await user.click(bar.getByTestId('call-bar-leave'));
    await waitFor(() => expect(screen.queryByTestId('call-bar')).toBeNull());
    expect(world.called('leaveCall')).toEqual([['field', call.id]]);
  });

  it('is so, too, while its chat covers it', async () => {
    await talking('bob');
    await user.click(screen.getByTestId('call-chat'));
    const bar = within(await screen.findByTestId('call-bar'));
    expect(screen.queryByTestId('stage')).toBeNull();
    bar.getByTestId('call-bar-microphone');
    await user.click(bar.getByTestId('call-return'));
    expect(await screen.findByTestId('stage')).toBeTruthy();
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

  it('closes with the key, whatever became of the stage, the setting or other keys', async () => {
    const { app, world, call } = await talking('bob');
    const open = () => world.phone.call(call.id).own.microphone;
    const held = async () => {
      app.calls.stage = true;
      await app.settings.change({ pushToTalk: true });
      await user.keyboard('{ >}');
      await waitFor(() => expect(open()).toBe(true));
    };
    await user.click(screen.getByTestId('call-microphone'));
    await held();
    await user.keyboard('{Control>}{/ }{/Control}');
    await waitFor(() => expect(open()).toBe(false));
    await held();
    await app.settings.change({ pushToTalk: false });
    await user.keyboard('{/ }');
    await waitFor(() => expect(open()).toBe(false));
    // Where the command key swallows the release of the others.
    await held();
    await user.keyboard('{Meta>}{/Meta}');
    await waitFor(() => expect(open()).toBe(false));
    await user.keyboard('{/ }');
  });

  it('closes when the call becomes small', async () => {
    const { app, world, call } = await talking('bob');
    await app.settings.change({ pushToTalk: true });
    await user.click(screen.getByTestId('call-microphone'));
    await user.keyboard('{ >}');
    const open = () => world.phone.call(call.id).own.microphone;
    await waitFor(() => expect(open()).toBe(true));
    app.select('kitchen');
    await waitFor(() => expect(open()).toBe(false));
    // The key repeats for as long as it is held.
    await user.keyboard('{ >}');
    expect(open()).toBe(false);
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

  it('can be a file that is heard or seen, and never one that is written', async () => {
    const { world } = await talking('bob');
    await user.click(screen.getByTestId('call-devices'));
    const microphone = (await screen.findByTestId('device-microphone')) as HTMLSelectElement;
    expect(within(screen.getByTestId('device-speaker')).queryByText('A file…')).toBeNull();
    await user.selectOptions(microphone, 'A file…');
    expect(world.called('chooseDeviceFile')).toEqual([['microphone']]);
    await waitFor(() => expect(microphone.value).toBe('file:'));
    expect(world.called('chooseDevice')).toEqual([]);
  });
});

describe('missed calls', () => {
  it('stand in the timeline, with a way to call back', async () => {
    const { world } = await inField();
    world.note('field', { event: 'callEnded', by: { user: 'bob', name: 'Bob' }, video: true, lasted: 0, end: 'missed' });
    await user.click(await screen.findByTestId('call-back'));
    expect(await screen.findByTestId('lobby')).toBeTruthy();
    expect(world.called('preview')).toEqual([[true, true]]);
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

  it('is told again when the page had to start anew', async () => {
    const { app, world } = await talking('bob');
    const tile = { tile: 'camera.bob.bob-1', width: 640, height: 368 };
    app.calls.shown.put(Symbol(), tile);
    await waitFor(() => expect(world.called('showTiles').at(-1)).toEqual([[tile]]));
    const times = world.called('showTiles').length;
    world.emit({ type: 'lagged' });
    await waitFor(() => expect(world.called('showTiles').length).toBe(times + 1));
    expect(world.called('showTiles').at(-1)).toEqual([[tile]]);
  });

  it('is tried again in a lobby when the page had to start anew', async () => {
    const { app, world } = await inField();
    await user.click(screen.getByTestId('call-video'));
    await screen.findByTestId('lobby');
    world.emit({ type: 'lagged' });
    await waitFor(() =>
      expect(world.called('preview')).toEqual([
        [true, true],
        [true, true],
      ]),
    );
    await user.click(screen.getByTestId('lobby-cancel'));
    await app.start();
    expect(world.called('preview').slice(2)).toEqual([[false, false]]);
  });
});
