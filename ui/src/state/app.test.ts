import { describe, expect, it, vi } from 'vitest';
import { emptyWorld, fullWorld } from '../ipc/fake/worlds';
import { World } from '../ipc/fake/world';
import { settled, started } from '../test/open';
import { App } from './app.svelte';
import { Welcome } from './welcome.svelte';

describe('the app', () => {
  it('takes the snapshot, then what came meanwhile', async () => {
    const world = fullWorld();
    world.delay = 5;
    const app = new App(world.ipc());
    const start = app.start();
    await Promise.resolve();
    await start;
    world.change('field', { name: 'Renamed' });
    expect(app.rooms.get('field')?.name).toBe('Renamed');
    expect(app.phase.type).toBe('open');
  });

  it('holds events back until the snapshot is here', async () => {
    const world = fullWorld();
    const door = world.ipc();
    const app = new App({
      ...door,
      open: async (listen) => {
        const answer = await door.open(listen);
        world.change('field', { name: 'Newer' });
        expect(app.rooms.all).toEqual([]);
        return answer;
      },
    });
    await app.start();
    expect(app.rooms.get('field')?.name).toBe('Newer');
  });

  it('starts over when the channel ran over, and hears only the new one', async () => {
    const world = fullWorld();
    const app = await started(world);
    app.rooms.select('field');
    world.place('field').room = { ...world.place('field').room, name: 'Unheard' };
    world.emit({ type: 'lagged' });
    await settled();
    expect(world.called('open')).toHaveLength(2);
    expect(app.rooms.get('field')?.name).toBe('Unheard');
    expect(app.rooms.selected).toBe('field');
  });

  it('says why it stopped', async () => {
    const world = fullWorld();
    const app = await started(world);
    world.emit({ type: 'stopped', code: 'diskFull' });
    expect(app.phase).toEqual({ type: 'failed', code: 'diskFull', stopped: true });
  });

  it('opens the only room, and chooses none of several', async () => {
    const world = fullWorld();
    expect((await started(world)).rooms.selected).toBeNull();
    const [only, ...others] = [...world.places.keys()];
    for (const id of others) world.places.delete(id);
    expect((await started(world)).rooms.selected).toBe(only);
  });

  it('stays locked after a wrong passphrase and opens with the right one', async () => {
    const world = fullWorld();
    world.start = { type: 'locked', keyring: 'noService', passphrase: true, recovery: true, appLock: false };
    const app = await started(world);
    expect((await app.unlock('no', 'passphrase'))?.code).toBe('wrongPassphrase');
    expect(app.phase.type).toBe('locked');
    expect(await app.unlock(world.recoveryCode.toLowerCase(), 'recovery')).toBeNull();
    expect(app.phase.type).toBe('open');
  });

  it('offers a link that was clicked, and never follows it by itself', async () => {
    const world = fullWorld();
    const app = await started(world);
    world.emit({ type: 'link', link: 'sotto://r/x#s' });
    expect(app.desk.sheet).toEqual({ type: 'join', link: 'sotto://r/x#s', clicked: true });
    expect(world.called('join')).toEqual([]);
  });

  it('announces other rooms and not the one on screen', async () => {
    vi.useFakeTimers();
    const world = fullWorld();
    world.settings = { ...world.settings, sound: false };
    const app = await started(world);
    app.rooms.select('field');
    const item = world.say('field', 'bob', 'Here');
    world.emit({ type: 'notify', room: 'field', item: item.id });
    expect(app.notices.list).toEqual([]);
    world.emit({ type: 'notify', room: 'kitchen', item: world.say('kitchen', 'erin', 'Psst').id });
    expect(app.notices.list[0]?.then).toContain('Psst');
    app.notices.dismiss(app.notices.list[0]!.id);
    app.settings.take({ ...app.settings.value, notifications: 'names' });
    world.emit({ type: 'notify', room: 'kitchen', item: world.say('kitchen', 'erin', 'Secret').id });
    expect(app.notices.list[0]?.then).not.toContain('Secret');
  });

  it('follows and forgets problems', async () => {
    const world = fullWorld();
    const app = await started(world);
    world.emit({ type: 'problem', problem: { type: 'clockWrong', aheadMs: 400_000 } });
    world.emit({ type: 'problem', problem: { type: 'clockWrong', aheadMs: 500_000 } });
    expect(app.problems).toEqual([{ type: 'clockWrong', aheadMs: 500_000 }]);
    world.emit({ type: 'problemGone', problem: { type: 'clockWrong', aheadMs: 0 } });
    expect(app.problems).toEqual([]);
  });
});

describe('drafts', () => {
  it('reach the store when the typing pauses, or the room changes', async () => {
    const world = fullWorld();
    const app = await started(world);
    vi.useFakeTimers();
    app.rooms.select('field');
    app.rooms.setDraft('field', 'a');
    app.rooms.setDraft('field', 'ab');
    vi.advanceTimersByTime(500);
    app.rooms.setDraft('field', 'abc');
    app.rooms.select('bob');
    expect(world.called('setDraft')).toEqual([['field', 'ab'], ['field', 'abc']]);
    expect(app.rooms.draft('field')).toBe('abc');
  });
});

describe('the welcome', () => {
  const fresh = (keyring: 'working' | 'noService' = 'working'): World => {
    const world = emptyWorld();
    world.relays = [];
    world.start = { type: 'new', keyring };
    return world;
  };

  it('makes a profile and starts the relay on this computer', async () => {
    const world = fresh();
    const app = await started(world);
    const welcome = new Welcome(app);
    expect(welcome.ready()).toBe(false);
    welcome.name = ' Alice ';
    await welcome.start();
    expect(world.called('createProfile')[0]).toMatchObject([{ name: 'Alice' }, null, true]);
    expect(world.called('startBuiltInRelay')).toEqual([['thisComputer', null]]);
    expect(app.phase.type).toBe('open');
    expect(app.settlingIn).toBe(false);
  });

  it('asks for a passphrase when there is no keyring', async () => {
    const world = fresh('noService');
    const app = await started(world);
    const welcome = new Welcome(app);
    welcome.name = 'Alice';
    expect(welcome.ready()).toBe(false);
    welcome.passphrase = 'four unrelated words here';
    await welcome.start();
    expect(world.called('createProfile')[0]?.slice(1)).toEqual(['four unrelated words here', false]);
  });

  it('follows an invite link that was clicked before', async () => {
    const world = fresh();
    const app = await started(world);
    world.emit({ type: 'link', link: 'sotto://join/relay.example.org:3030/x#secret' });
    const welcome = new Welcome(app);
    await settled();
    welcome.name = 'Bob';
    await welcome.start();
    expect(world.called('join')).toEqual([['sotto://join/relay.example.org:3030/x#secret']]);
    expect(world.called('startBuiltInRelay')).toEqual([]);
    expect(app.rooms.current?.standing.state).toBe('knocking');
    expect(app.desk.sheet).toBeNull();
  });

  it('says what is wrong with a pasted link before anything is made', async () => {
    const world = fresh();
    const welcome = new Welcome(await started(world));
    welcome.name = 'Bob';
    welcome.where = 'relay';
    welcome.address = 'sotto://join/relay.example.org:3030/x';
    await welcome.check();
    expect(welcome.inviteError?.link).toBe('secretMissing');
    expect(welcome.ready()).toBe(false);
  });

  it('keeps the profile when the relay fails, and tries only the relay again', async () => {
    const world = fresh();
    world.failing.set('startBuiltInRelay', 'portInUse');
    const app = await started(world);
    const welcome = new Welcome(app);
    welcome.name = 'Alice';
    await welcome.start();
    expect(welcome.error?.code).toBe('portInUse');
    expect(app.settlingIn).toBe(true);
    world.failing.clear();
    welcome.port = '3031';
    await welcome.start();
    expect(world.called('createProfile')).toHaveLength(1);
    expect(world.called('startBuiltInRelay').at(-1)).toEqual(['thisComputer', 3031]);
    expect(app.settlingIn).toBe(false);
  });

  it('stays with a relay that asks for an invite code until it has a good one', async () => {
    const world = fresh();
    world.codes.set('wss://relay.example.org', 'sesame');
    const app = await started(world);
    const welcome = new Welcome(app);
    welcome.name = 'Alice';
    welcome.where = 'relay';
    welcome.address = 'relay.example.org';
    expect(welcome.asksForCode()).toBe(false);
    await welcome.start();
    expect(welcome.refusal).toEqual({ relay: 'wss://relay.example.org', why: 'needsCode' });
    expect(app.settlingIn).toBe(true);
    expect(welcome.ready()).toBe(false);

    welcome.code = 'simsim';
    await welcome.start();
    expect(welcome.refusal?.why).toBe('wrongCode');
    welcome.code = ' sesame ';
    await welcome.start();
    expect(world.called('addRelay')).toEqual([
      ['relay.example.org', null],
      ['relay.example.org', 'simsim'],
      ['relay.example.org', 'sesame'],
    ]);
    expect(world.called('createProfile')).toHaveLength(1);
    expect(welcome.refusal).toBeNull();
    expect(app.settlingIn).toBe(false);
  });

  it('brings the code to the relay of an invite link', async () => {
    const world = fresh();
    world.codes.set('wss://relay.example.org:3030', 'sesame');
    const app = await started(world);
    const welcome = new Welcome(app);
    welcome.name = 'Bob';
    welcome.where = 'relay';
    welcome.address = 'sotto://join/relay.example.org:3030/x#secret';
    await welcome.check();
    await welcome.start();
    expect(welcome.refusal?.why).toBe('needsCode');
    welcome.code = 'sesame';
    await welcome.start();
    expect(world.called('addRelay')).toEqual([['wss://relay.example.org:3030', 'sesame']]);
    expect(app.settlingIn).toBe(false);
    expect(app.rooms.current?.standing.state).toBe('knocking');
  });

  it('goes on when a relay does not answer: it may later', async () => {
    const world = fresh();
    const app = await started(world);
    const welcome = new Welcome(app);
    welcome.name = 'Alice';
    welcome.where = 'relay';
    welcome.address = 'relay.example.org';
    world.admit = (relay) => world.emit({ type: 'relay', relay: { ...relay, status: { type: 'waiting', retryInMs: 1_000, why: 'unreachable' } } });
    await welcome.start();
    expect(welcome.refusal).toBeNull();
    expect(app.settlingIn).toBe(false);
  });
});
