/** Every screen in every state. A scene is a world and what was done in it. */
import type { ErrorCode, Keyring, LinkProblem, Standing, Start } from '../bindings';
import type { App } from '../../state/app.svelte';
import type { SettingsPage, Sheet } from '../../state/desk.svelte';
import { click, dashed, enter, fill, find, soon, type Scene } from './acting';
import { callScenes } from './callscenes';
import { actor, alice, bob, carol, dan, erin } from './people';
import { story } from './story';
import { DAY, HOUR, type World } from './world';
import { AWAY, HERE, bigWorld, emptyWorld, fullWorld, hostileWorld, withRelay } from './worlds';

function starting(start: Start | null, change: (world: World) => void = () => {}): () => World {
  return () => {
    const world = emptyWorld();
    world.start = start;
    change(world);
    return world;
  };
}

const fresh = (keyring: Keyring = 'working') => starting({ type: 'new', keyring });
const locked = (keyring: Keyring, part: Partial<Extract<Start, { type: 'locked' }>> = {}) =>
  starting({ type: 'locked', keyring, passphrase: true, recovery: true, appLock: false, ...part });
const failed = (code: ErrorCode): Scene => ({ world: starting({ type: 'failed', code }) });

const inField = (then: (app: App, world: World) => Promise<void> | void = () => {}): Scene => ({
  world: fullWorld,
  arrange: async (app, world) => {
    await enter('field')(app);
    await then(app, world);
  },
});

const sheet = (open: Sheet, world: () => World = fullWorld, then: () => Promise<void> = async () => {}): Scene => ({
  world,
  arrange: async (app) => {
    await enter('field')(app);
    app.desk.open(open);
    await soon(200);
    await then();
  },
});

const settings = (page: SettingsPage, change: (world: World) => void = () => {}): Scene =>
  sheet({ type: 'settings', page }, () => {
    const world = fullWorld();
    change(world);
    return world;
  });

/** Why a start fails so that nothing can be asked of a person but to try again. */
export const startFailures = [
  'profileInUse',
  'newerVersion',
  'damaged',
  'diskFull',
  'notWritable',
  'storeLocked',
  'io',
  'keyringNoService',
  'keyringDenied',
  'keyringEntryMissing',
  'keyringEntryWrong',
  'noSlotLeft',
  'stopped',
] as const satisfies ErrorCode[];

const relayTroubles: LinkProblem[] = [
  'unreachable',
  'tls',
  'certificateDates',
  'pinMismatch',
  'notARelay',
  'version',
  'notAdmitted',
  'needsCode',
  'wrongCode',
  'clock',
  'refused',
  'closedByRelay',
  'slowReader',
];

/** One scene for each of many. */
function each<T>(all: readonly T[], name: (one: T) => string, scene: (one: T) => Scene): Record<string, Scene> {
  return Object.fromEntries(all.map((one) => [name(one), scene(one)]));
}

const waiting = (why: LinkProblem, retryInMs: number): Scene => ({
  world: () => withRelay({ type: 'waiting', retryInMs, why }),
  arrange: enter('field'),
});

const standing = (state: Standing, empty = false): Scene => ({
  world: () => {
    const world = fullWorld();
    const place = world.place('field');
    place.room = { ...place.room, standing: state, ...(empty ? { last: null, name: 'Reading group' } : {}) };
    if (empty) Object.assign(place, { items: [], people: [] });
    return world;
  },
  arrange: enter('field'),
});

const withPeople = (then: (world: World) => void): (() => World) => {
  return () => {
    const world = fullWorld();
    then(world);
    return world;
  };
};

const knocking = withPeople((world) => {
  const place = world.place('field');
  const now = Date.now();
  place.room = { ...place.room, knocks: 2, admission: 'byHost' };
  place.knocks = [
    { id: 'k1', user: 'dan', profile: dan.profile, invite: 'i1', inviteCreated: now - 2 * DAY, at: now - 60_000, verified: false },
    { id: 'k2', user: 'erin', profile: erin.profile, invite: 'i1', inviteCreated: now - 2 * DAY, at: now - 30_000, verified: true },
  ];
  place.invites = [
    { id: 'i1', link: 'sotto://join/relay.example.org:3030/field?i=i1#Zm9yIG15IGZyaWVuZHM', created: now - 2 * DAY, expires: now + 5 * DAY, by: 'alice' },
    { id: 'i2', link: 'sotto://join/relay.example.org:3030/field?i=i2#YW5vdGhlciBzZWNyZXQ', created: now - HOUR, expires: now + HOUR, by: 'bob' },
  ];
});

export const scenes: Record<string, Scene> = {
  welcome: { world: fresh(), arrange: () => fill('welcome-name', 'Alice') },
  'welcome-first': { world: fresh() },
  'welcome-relay': {
    world: fresh(),
    arrange: async () => {
      await fill('welcome-name', 'Alice');
      await click('welcome-relay');
      await fill('welcome-address', 'relay.example.org');
    },
  },
  'welcome-invite': {
    world: fresh(),
    arrange: async () => {
      await fill('welcome-name', 'Alice');
      await click('welcome-relay');
      await fill('welcome-address', 'sotto://join/relay.example.org:3030/x1?i=4#c2VjcmV0');
      await soon(200);
    },
  },
  'welcome-bad-link': {
    world: fresh(),
    arrange: async () => {
      await fill('welcome-name', 'Alice');
      await click('welcome-relay');
      await fill('welcome-address', 'sotto://join/relay.example.org:3030/x1?i=4');
      await soon(200);
    },
  },
  'welcome-code': {
    world: starting({ type: 'new', keyring: 'working' }, (world) => world.codes.set('wss://relay.example.org', 'sesame')),
    arrange: async () => {
      await fill('welcome-name', 'Alice');
      await click('welcome-relay');
      await fill('welcome-address', 'relay.example.org');
      await click('welcome-start');
      await find('welcome-code');
    },
  },
  'welcome-wrong-code': {
    world: starting({ type: 'new', keyring: 'working' }, (world) => world.codes.set('wss://relay.example.org', 'sesame')),
    arrange: async () => {
      await fill('welcome-name', 'Alice');
      await click('welcome-relay');
      await fill('welcome-address', 'relay.example.org');
      await click('welcome-start');
      await fill('welcome-code', 'open sesam');
      await click('welcome-start');
      await soon(200);
    },
  },
  'welcome-no-keyring': { world: fresh('noService'), arrange: () => fill('welcome-name', 'Alice') },
  'welcome-keyring-denied': { world: fresh('denied') },
  'welcome-port-in-use': {
    world: starting({ type: 'new', keyring: 'working' }, (world) => world.failing.set('startBuiltInRelay', 'portInUse')),
    arrange: async () => {
      await fill('welcome-name', 'Alice');
      await click('welcome-start');
    },
  },
  'welcome-picture': {
    world: fresh(),
    arrange: async () => {
      await fill('welcome-name', 'Alice');
      await click('picture-open');
      await soon(300);
    },
  },
  'unlock-passphrase': { world: locked('noService') },
  'unlock-app-lock': { world: locked('working', { appLock: true, recovery: false }) },
  'unlock-recovery': { world: locked('entryMissing', { passphrase: false }) },
  'unlock-denied': { world: locked('denied') },
  'unlock-entry-wrong': { world: locked('entryWrong') },
  'unlock-keyring-only': { world: locked('noService', { passphrase: false, recovery: false }) },
  'unlock-wrong': {
    world: locked('noService'),
    arrange: async () => {
      await fill('unlock-passphrase', 'hunter2');
      await click('unlock-submit');
    },
  },
  ...each(startFailures, (code) => `failed-${dashed(code)}`, failed),
  stopped: inField((app) => app.fail('stopped')),
  starting: { world: starting(null), arrange: (app) => void (app.phase = { type: 'starting' }) },
  empty: { world: emptyWorld },
  'empty-no-relay': {
    world: () => {
      const world = emptyWorld();
      world.relays = [];
      return world;
    },
  },
  rooms: { world: fullWorld },
  full: inField(),
  'full-compact': {
    world: () => {
      const world = fullWorld();
      world.settings = { ...world.settings, density: 'compact' };
      return world;
    },
    arrange: enter('field'),
  },
  many: { world: bigWorld, arrange: enter('long') },
  scrolled: {
    world: bigWorld,
    arrange: async (app, world) => {
      await enter('long')(app);
      const list = await find('timeline');
      list.dispatchEvent(new WheelEvent('wheel'));
      list.scrollTop -= 900;
      await soon(300);
      for (let i = 0; i < 3; i++) world.say('long', 'bob', `New frame ${i + 1}`);
      await soon(200);
    },
  },
  unread: { world: fullWorld, arrange: enter('kitchen') },
  archived: {
    world: fullWorld,
    arrange: async (app) => {
      app.rooms.archivedOpen = true;
      await enter('flat')(app);
    },
  },
  filter: {
    world: bigWorld,
    arrange: async (app) => {
      await enter('field')(app);
      app.desk.pane = 'rooms';
      await soon();
      await fill('room-filter', 'choir');
    },
  },
  'filter-none': {
    world: fullWorld,
    arrange: async (app) => {
      await enter('field')(app);
      app.desk.pane = 'rooms';
      await soon();
      await fill('room-filter', 'nothing like this');
    },
  },
  alone: {
    world: () => {
      const world = emptyWorld();
      story(world, 'field', 'Field notes', [alice], Date.now() - 60_000).line({ event: 'created', by: actor(alice) }).tell();
      return world;
    },
    arrange: enter('field'),
  },
  hostile: { world: hostileWorld, arrange: enter('hostile') },
  typing: inField(async (app, world) => {
    world.emit({ type: 'typing', room: 'field', users: ['bob'] });
    world.emit({ type: 'typing', room: 'kitchen', users: ['erin'] });
    await fill('composer-input', 'I’ll bring the *tripod*, and a flask of tea.\nAnything else?');
    void app;
  }),
  reply: inField(async (app) => {
    const open = app.rooms.currentOpen;
    const last = open?.timeline.items.at(-2);
    if (open && last?.kind.kind === 'message') {
      open.replyTo = { id: last.id, from: last.kind.from, name: last.kind.name, text: last.kind.text };
    }
    await fill('composer-input', 'Let me know what they say');
  }),
  'too-long': inField(() => fill('composer-input', 'All of it. '.repeat(1_520))),
  emoji: inField(async () => {
    await click('composer-emoji');
    await soon(400);
  }),
  sending: {
    world: () => {
      const world = withRelay({ type: 'waiting', retryInMs: 12_000, why: 'unreachable' });
      const place = world.place('field');
      const tail = story(world, 'tail', 'tail', [], Date.now() - 120_000)
        .stuck(alice, 'On my way.', 'pending')
        .stuck(alice, 'The gate code has changed, ask at the farm.', 'failed')
        .stuck(alice, 'And bring gloves.', 'pending');
      place.items = [...place.items, ...tail.items];
      return world;
    },
    arrange: enter('field'),
  },
  refused: inField(async (app, world) => {
    world.failing.set('sendMessage', 'roomOver');
    await app.rooms.currentOpen?.timeline.send('Is anybody still here?', null);
    await soon(100);
  }),
  gaps: {
    world: () => {
      const world = fullWorld();
      const room = story(world, 'field', 'Field notes', [alice, bob, carol], Date.now() - 2 * HOUR);
      room
        .says(bob, 'Leaving for the mountains, back in five weeks.')
        .gap(37, 'expired')
        .says(carol, 'Welcome back!')
        .gap(1, 'unreadable')
        .gap(0, 'splitView')
        .says(carol, 'Did you get the pictures?')
        .line({ event: 'refused', by: actor(carol) })
        .line({ event: 'hostChanged', host: actor(bob) })
        .line({ event: 'removed', who: actor(dan), by: actor(bob) })
        .line({ event: 'profileChanged', who: actor(bob), before: 'Robert' })
        .says(alice, 'Some of them.');
      room.tell();
      return world;
    },
    arrange: enter('field'),
  },
  connecting: { world: () => withRelay({ type: 'connecting' }), arrange: enter('field') },
  waiting: waiting('unreachable', 12_000),
  ...each(relayTroubles, (why) => `relay-${dashed(why)}`, (why) => waiting(why, 30_000)),
  'relay-cannot-store': {
    world: withPeople((world) => {
      world.place('field').room = { ...world.place('field').room, relayCannotStore: true };
    }),
    arrange: enter('field'),
  },
  'one-relay-down': {
    world: () => {
      const world = fullWorld();
      world.relays = [HERE, { ...AWAY, status: { type: 'waiting', retryInMs: 8_000, why: 'tls' } }];
      return world;
    },
    arrange: enter('field'),
  },
  'relay-off-foreign': {
    world: () => {
      const world = fullWorld();
      world.relays = world.relays.map((relay) => ({ ...relay, builtIn: false, status: { type: 'off' } }));
      return world;
    },
    arrange: enter('field'),
  },
  'relay-off': { world: () => withRelay({ type: 'off' }), arrange: enter('field') },
  'catching-up': {
    world: withPeople((world) => {
      for (const id of ['field', 'kitchen']) world.place(id).room = { ...world.place(id).room, inSync: false };
    }),
    arrange: async (app) => {
      await enter('field')(app);
      await soon(900);
    },
  },
  people: inField((app) => void (app.desk.people = true)),
  knocks: {
    world: knocking,
    arrange: async (app) => {
      await enter('field')(app);
      app.desk.people = true;
    },
  },
  verify: sheet({ type: 'verify', room: 'field', user: 'carol' }),
  verified: sheet({ type: 'verify', room: 'field', user: 'bob' }),
  'verify-mismatch': sheet({ type: 'verify', room: 'field', user: 'carol' }, fullWorld, () => click('verify-differ')),
  'new-room': sheet({ type: 'newRoom' }, () => {
    const world = fullWorld();
    world.relays = [HERE, AWAY];
    return world;
  }),
  'new-room-no-relay': sheet({ type: 'newRoom' }, () => {
    const world = emptyWorld();
    world.relays = [];
    world.builtIn = { ...world.builtIn, running: false, address: null };
    return world;
  }),
  join: sheet({ type: 'join', link: '', clicked: false }),
  'join-clicked': sheet({ type: 'join', link: 'sotto://join/relay.example.org:3030/x1?i=4#c2VjcmV0', clicked: true }),
  'join-expired': sheet({ type: 'join', link: 'sotto://join/relay.example.org:3030/x1?i=expired#c2VjcmV0', clicked: false }),
  'room-settings': sheet({ type: 'roomSettings', room: 'field' }),
  'room-settings-guest': {
    world: fullWorld,
    arrange: async (app) => {
      await enter('kitchen')(app);
      app.desk.open({ type: 'roomSettings', room: 'kitchen' });
    },
  },
  'confirm-remove': inField((app) =>
    app.desk.ask({
      title: 'Remove Carol?',
      text: 'They cannot read anything written from now on. What they have already received stays with them.',
      yes: 'Remove from room',
      danger: true,
      run: () => {},
    }),
  ),
  palette: sheet({ type: 'palette' }),
  shortcuts: sheet({ type: 'shortcuts' }),
  'settings-profile': settings('profile'),
  'settings-appearance': settings('appearance'),
  'settings-notifications': settings('notifications'),
  'settings-devices': settings('devices'),
  'settings-relay': settings('relay', (world) => {
    world.relays = [HERE, { ...AWAY, status: { type: 'waiting', retryInMs: 9_000, why: 'unreachable' } }];
  }),
  'settings-relay-code': settings('relay', (world) => {
    world.relays = [HERE, { ...AWAY, status: { type: 'waiting', retryInMs: 9_000, why: 'wrongCode' } }];
  }),
  'settings-relay-network': settings('relay', (world) => {
    const network = 'wss://192.168.1.40:3030#c2VjcmV0';
    world.builtIn = { ...world.builtIn, reach: 'localNetwork', network, former: 'wss://192.168.1.23:3030#c2VjcmV0' };
  }),
  'settings-relay-stuck': settings('relay', (world) => {
    world.builtIn = { ...world.builtIn, reach: 'localNetwork', error: 'addressUnavailable' };
  }),
  'settings-relay-none': settings('relay', (world) => {
    world.relays = [];
    world.builtIn = { ...world.builtIn, running: false, address: null, error: 'portInUse' };
  }),
  'settings-security': settings('security'),
  'settings-security-no-keyring': settings('security', (world) => {
    world.slots = { keyring: 'noService', keyringSlot: false, passphrase: true, recovery: true, appLock: true };
  }),
  'settings-not-kept': inField(async (app, world) => {
    app.desk.open({ type: 'settings', page: 'security' });
    await find('hide-address');
    world.failing.set('setSettings', 'diskFull');
    await app.settings.change({ hideAddress: true });
    await find('toast');
  }),
  'settings-about': settings('about'),
  'recovery-banner': {
    world: () => {
      const world = fullWorld();
      world.settings = { ...world.settings, recoveryAsked: null };
      return world;
    },
    arrange: enter('field'),
  },
  recovery: sheet({ type: 'recovery' }),
  'recovery-code': sheet({ type: 'recovery' }, fullWorld, () => click('recovery-make')),
  'problem-disk-full': {
    world: withPeople((world) => {
      world.problems = [{ type: 'diskFull' }];
      world.relays = world.relays.map((relay) => ({ ...relay, status: { type: 'off' } }));
    }),
    arrange: enter('field'),
  },
  problems: {
    world: withPeople(
      (world) =>
        (world.problems = [{ type: 'storeLocked' }, { type: 'clockWrong', aheadMs: 2 * HOUR }, { type: 'keyringGone', keyring: 'entryMissing' }]),
    ),
    arrange: enter('field'),
  },
  'standing-creating': standing({ state: 'creating' }, true),
  'standing-knocking': standing({ state: 'knocking' }, true),
  'standing-denied': standing({ state: 'denied' }, true),
  'standing-removed': standing({ state: 'removed', by: 'bob' }),
  'standing-deleted': standing({ state: 'deleted', by: 'bob' }),
  'standing-deleted-relay': standing({ state: 'deleted', by: null }),
  'standing-left': standing({ state: 'left' }),
  'standing-lost': standing({ state: 'lost' }),
  toasts: inField((app, world) => {
    app.complain({ code: 'busy', max: null, link: null });
    app.notices.good('The link is revoked. Nobody can use it any more.');
    world.emit({ type: 'letterRefused', room: 'field', name: 'Dan', code: 'notFound' });
    world.emit({ type: 'notice', relay: HERE.address, body: 'Maintenance on Sunday from 6 to 7. Messages wait until then.' });
    app.notices.say('plain', { what: 'New in Kitchen build', then: 'Erin Nakamura: Who brings the drill?' }, { label: 'Open', run: () => {} });
  }),
  ...callScenes,
};

