/** Calls in every state. */
import type { App } from '../../state/app.svelte';
import type { Call, CallEnd, Connection, Participant } from '../bindings';
import { click, dashed, enter, find, soon, type Scene } from './acting';
import { story } from './story';
import { person, type World } from './world';
import { WELL } from './phone';
import { fullWorld } from './worlds';

type Act = (app: App, world: World, call: Call) => Promise<void> | void;

/** A room with as many people as a call takes. */
function crowd(long = false): World {
  const world = fullWorld();
  const place = world.place('field');
  const [alice, bob, carol] = place.people;
  const name = (plain: string, longer: string) => (long ? longer : plain);
  const more = [
    person('dan', name('Dan', 'Maximiliane-Friederike Schwarzenberg-Hohenlohe von und zu Altenstein'), 9),
    person('erin', name('Erin Nakamura', 'مرحبا بالعالم'), 3, '🌻'),
    person('fay', name('Fay', 'W'.repeat(64)), 7),
  ];
  story(world, 'field', long ? 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft' : 'Field notes', [alice!, bob!, carol!, ...more], Date.now() - 3_600_000)
    .says(bob!, 'I’ll call you when I’m at the gate.')
    .says(carol!, 'Good, I keep an eye on it.')
    .says(bob!, 'The second sheet is in the shared folder.')
    .tell({ pinned: true, epoch: 14 });
  return world;
}

const OTHERS = ['bob', 'carol', 'dan', 'erin', 'fay'];

/** Oneself among so many others. */
function talking(count: number, act: Act = () => {}, long = false): Scene {
  return {
    world: () => crowd(long),
    arrange: async (app, world) => {
      await enter('field')(app);
      world.phone.loud.add('bob');
      const call = world.phone.run('field', OTHERS.slice(0, count), {});
      await find('stage');
      await act(app, world, call);
      await soon(900);
    },
  };
}

const failing = (connection: Connection, part: Partial<Participant> = {}): Scene =>
  talking(2, (_app, world, call) => world.phone.turn(call.id, 'carol', { connection, confirmed: false, ...part }));

const ringing = (video: boolean, verified: boolean, long = false): Scene => ({
  world: () => crowd(long),
  arrange: async (app, world) => {
    await enter('field')(app);
    world.phone.ring('field', verified ? 'bob' : long ? 'dan' : 'carol', video);
    await find('ringing');
    await soon(250);
  },
});

const lobby = (video: boolean, running: boolean): Scene => ({
  world: () => crowd(),
  arrange: async (app, world) => {
    await enter('field')(app);
    if (running) world.phone.run('field', ['bob', 'carol'], null);
    app.calls.lobby = { room: 'field', video };
    await find('lobby');
    await soon(900);
  },
});

const ended = (why: CallEnd): Scene =>
  talking(0, async (_app, world, call) => {
    world.phone.end(call.id, why);
    // What simply ended needs no words.
    await find(why === 'ended' ? 'composer-input' : 'stage-over');
  });

const ends: CallEnd[] = ['ended', 'unanswered', 'declined', 'busy', 'missed', 'elsewhere', 'roomOver', 'full'];

export const callScenes: Record<string, Scene> = {
  'call-running': {
    world: () => crowd(),
    arrange: async (app, world) => {
      await enter('field')(app);
      world.phone.run('field', ['bob', 'carol'], null);
      await soon(100);
    },
  },
  'call-ringing-video': ringing(true, false),
  'call-ringing-voice': ringing(false, true),
  'call-ringing-long': ringing(true, false, true),
  'call-lobby': lobby(true, false),
  'call-lobby-troubles': {
    world: () => crowd(),
    arrange: async (app, world) => {
      await enter('field')(app);
      world.phone.dark.add('own-camera');
      world.phone.troubles = [
        { source: 'camera', why: 'busy' },
        { source: 'microphone', why: 'refused' },
      ];
      app.calls.lobby = { room: 'field', video: true };
      await find('device-trouble');
    },
  },
  'call-lobby-voice': lobby(false, false),
  'call-lobby-join': lobby(true, true),
  'call-calling': {
    world: () => crowd(),
    arrange: async (app) => {
      await enter('field')(app);
      await app.calls.start('field', true, { microphone: true, camera: true, screen: null });
      await find('stage');
      await soon(900);
    },
  },
  'call-calling-busy': {
    world: () => crowd(),
    arrange: async (app, world) => {
      await enter('field')(app);
      await app.calls.start('field', false, { microphone: true, camera: false, screen: null });
      await find('stage');
      const [call] = [...world.phone.calls.values()];
      world.phone.change(call!.id, { busy: ['bob', 'carol'] });
      await soon(900);
    },
  },
  'call-two': talking(1),
  'call-three': talking(2),
  'call-four': talking(3, (_app, world, call) => {
    world.phone.turn(call.id, 'carol', { keyMissing: true });
    world.phone.turn(call.id, 'dan', { media: { camera: false, microphone: false } });
  }),
  'call-five': talking(4, (_app, world, call) => world.phone.turn(call.id, 'dan', { media: { hand: Date.now() } })),
  'call-six': talking(5, async (app, world, call) => {
    world.phone.turn(call.id, 'erin', { media: { camera: false, hand: Date.now() } });
    world.phone.measured.set('fay', { sound: { bitrate: 9_000, loss: 92, jitterMs: 31, delayMs: 140, concealedMs: 5_300 } });
    await soon(2_200);
    for (const [user, emoji] of [['bob', '👏'], ['fay', '🎉']] as const) app.calls.reacted(call.id, user, emoji);
  }),
  'call-six-long': talking(5, () => {}, true),
  'call-voice': talking(3, (_app, world, call) => {
    for (const who of world.phone.call(call.id).participants) world.phone.turn(call.id, who.user, { media: { camera: false } });
  }),
  'call-muted': talking(1, (_app, world, call) => world.phone.turn(call.id, 'alice', { media: { microphone: false, camera: false } })),
  'call-speaker': talking(4, (app) => app.calls.pin('camera.bob.bob-1')),
  'call-screen': talking(3, (_app, world, call) => world.phone.turn(call.id, 'bob', { media: { screen: 'text' } })),
  'call-sharing': talking(2, (_app, world, call) => world.phone.turn(call.id, 'alice', { media: { screen: 'motion' } })),
  'call-alone': talking(0),
  'call-connecting': failing({ state: 'connecting' }),
  'call-reconnecting': failing({ state: 'reconnecting', since: 0 }),
  'call-no-path': failing({ state: 'failed', why: 'noPath' }),
  'call-certificate': failing({ state: 'failed', why: 'certificate' }),
  'call-version': failing({ state: 'failed', why: 'version' }),
  'call-no-device': talking(2, (_app, world, call) =>
    world.phone.change(call.id, {
      ...world.phone.call(call.id),
      troubles: [
        { source: 'camera', why: 'busy' },
        { source: 'microphone', why: 'vanished' },
        { source: 'speaker', why: 'noDevice' },
      ],
    }),
  ),
  'call-their-devices': talking(3, (_app, world, call) => {
    world.phone.turn(call.id, 'bob', { media: { troubles: { ...WELL, microphone: 'vanished' } } });
    world.phone.turn(call.id, 'carol', { media: { troubles: { ...WELL, microphone: 'refused', camera: 'busy' } } });
    world.phone.turn(call.id, 'dan', { media: { screen: 'text', troubles: { ...WELL, screen: 'broken' } } });
  }),
  'call-own-description': failing({ state: 'failed', why: 'ownDescription' }),
  'call-chat': talking(2, async (app) => {
    await click('call-chat');
    await soon(200);
    void app;
  }),
  'call-devices': talking(1, () => click('call-devices')),
  'call-react': talking(1, () => click('call-react')),
  'call-share': talking(1, () => click('call-screen')),
  'call-share-none': talking(1, async (_app, world) => {
    world.phone.devices = { ...world.phone.devices, devices: world.phone.devices.devices.filter((one) => one.kind !== 'screen') };
    await click('call-screen');
  }),
  'call-shield': talking(2, () => click('call-shield')),
  'call-repair': talking(3, async (_app, world, call) => {
    world.phone.turn(call.id, 'bob', { keyMissing: true });
    world.phone.turn(call.id, 'carol', { connection: { state: 'failed', why: 'noPath' } });
    await click('call-shield');
    await soon(200);
    document.querySelector<HTMLElement>('[data-testid="call-repair"]')?.click();
    await soon(100);
    world.phone.turn(call.id, 'bob', { keyMissing: true });
  }),
  'call-stats': talking(3, async (_app, world, call) => {
    world.phone.measured.set('bob', { sound: { bitrate: 9_000, loss: 83, jitterMs: 31, delayMs: 140, concealedMs: 5_300 } });
    world.phone.turn(call.id, 'dan', { connection: { state: 'failed', why: 'noPath' } });
    await soon(2_200);
    await click('call-stats');
    await find('stats-numbers');
    document.querySelector<HTMLElement>('[data-testid="stats-person"] summary')?.click();
  }),
  'call-stats-two': talking(1, async (_app, world) => {
    world.phone.measured.set('bob', {
      camera: { width: 1280, height: 720, fps: 24, bitrate: 1_350_000, loss: 96, freezes: 3, frozenMs: 4_230 },
      audioOut: { bitrate: 30_000, loss: 61 },
    });
    await soon(2_200);
    await click('call-stats');
    await find('stats-numbers');
    document.querySelector<HTMLElement>('[data-testid="stats-person"] summary')?.click();
  }),
  'call-forged': talking(2, async (_app, world) => {
    const frames = (forged: number) => ({ frames: { opened: 61_204, forged, replayed: 0, malformed: 0, withoutKey: 0 } });
    world.phone.measured.set('bob', frames(3));
    await soon(2_200);
    await click('call-shield');
    await find('call-forged');
  }),
  'call-tile-menu': talking(2, async () => {
    await click('tile-menu');
  }),
  'call-mini': talking(2, async (app) => {
    app.calls.stage = false;
    await enter('kitchen')(app);
    await find('room');
  }),
  'call-mini-sharing': talking(2, async (app, world, call) => {
    world.phone.turn(call.id, 'alice', { media: { screen: 'text' } });
    app.calls.stage = false;
    await enter('field')(app);
    await find('call-bar');
  }),
  'call-mini-sharing-long': talking(
    5,
    async (app, world, call) => {
      world.phone.turn(call.id, 'alice', { media: { screen: 'text', microphone: false } });
      app.calls.stage = false;
      await enter('field')(app);
      await find('call-bar');
    },
    true,
  ),
  'call-mini-rooms-sharing': talking(2, async (app, world, call) => {
    world.phone.turn(call.id, 'alice', { media: { screen: 'text' } });
    app.calls.stage = false;
    app.desk.pane = 'rooms';
    await find('sharing');
  }),
  'call-mini-rooms': talking(2, async (app) => {
    app.calls.stage = false;
    app.desk.pane = 'rooms';
  }),
  'call-ringing-in-call': talking(1, async (_app, world) => {
    world.phone.ring('kitchen', 'erin', false);
    await find('ringing');
  }),
  ...Object.fromEntries(ends.map((why) => [`call-${dashed(why)}`, ended(why)])),
  'call-lines': {
    world: () => {
      const world = crowd();
      const { people } = world.place('field');
      const [alice, bob, carol] = people.map((one) => ({ user: one.user, name: one.profile.name }));
      story(world, 'field', 'Field notes', people, Date.now() - 3_600_000)
        .line({ event: 'callStarted', by: bob!, video: true })
        .line({ event: 'callEnded', by: bob!, video: true, lasted: 761_000, end: 'ended' })
        .line({ event: 'callEnded', by: carol!, video: false, lasted: 0, end: 'missed' })
        .line({ event: 'callEnded', by: bob!, video: true, lasted: 0, end: 'missed' })
        .line({ event: 'callEnded', by: bob!, video: true, lasted: 0, end: 'declined' })
        .line({ event: 'callEnded', by: alice!, video: false, lasted: 0, end: 'declined' })
        .line({ event: 'callEnded', by: alice!, video: true, lasted: 0, end: 'unanswered' })
        .tell();
      return world;
    },
    arrange: enter('field'),
  },
};
