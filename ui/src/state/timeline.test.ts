import { describe, expect, it } from 'vitest';
import { bigWorld, fullWorld } from '../ipc/fake/worlds';
import type { World } from '../ipc/fake/world';
import { started } from '../test/open';
import { newId } from './ids';

async function inRoom(world: World, room: string) {
  const app = await started(world);
  app.rooms.select(room);
  const open = app.rooms.opened(room)!;
  await open.load();
  return { app, open, timeline: open.timeline };
}

const texts = (items: { kind: { kind: string } }[]) =>
  items.flatMap((item) => (item.kind.kind === 'message' ? [(item.kind as unknown as { text: string }).text] : []));

describe('message ids', () => {
  it('are sixteen random bytes in base64url', () => {
    expect(newId()).toMatch(/^[\w-]{22}$/);
    expect(newId()).not.toBe(newId());
  });
});

describe('the timeline', () => {
  it('shows what is sent at once, and once', async () => {
    const world = fullWorld();
    const { timeline } = await inRoom(world, 'field');
    const sending = timeline.send('Hello', null);
    const shown = timeline.items.at(-1);
    expect(shown?.kind).toMatchObject({ kind: 'message', text: 'Hello', delivery: 'pending' });
    await sending;
    await Promise.resolve();
    expect(texts(timeline.items).filter((text) => text === 'Hello')).toHaveLength(1);
    expect(timeline.items.at(-1)?.kind).toMatchObject({ delivery: 'accepted' });
    expect(timeline.items.at(-1)?.id).toBe(shown?.id);
  });

  it('keeps what waits behind what comes, in the order of the room', async () => {
    const world = fullWorld();
    world.accepting = false;
    const { timeline } = await inRoom(world, 'field');
    await timeline.send('Mine', null);
    world.say('field', 'bob', 'Theirs');
    expect(texts(timeline.items).slice(-2)).toEqual(['Theirs', 'Mine']);
    const { id } = timeline.items.at(-1)!;
    world.accept('field', id);
    world.say('field', 'bob', 'Later');
    expect(texts(timeline.items).slice(-3)).toEqual(['Theirs', 'Mine', 'Later']);
  });

  it('says why a message was not taken, sends it again or lets it go', async () => {
    const world = fullWorld();
    world.failing.set('sendMessage', 'roomOver');
    const { timeline } = await inRoom(world, 'field');
    await timeline.send('Lost?', null);
    const { id } = timeline.items.at(-1)!;
    expect(timeline.items.at(-1)?.kind).toMatchObject({ delivery: 'failed' });
    expect(timeline.refused.get(id)?.code).toBe('roomOver');

    world.failing.delete('sendMessage');
    await timeline.retry(id);
    await Promise.resolve();
    expect(timeline.items.at(-1)).toMatchObject({ id, kind: { delivery: 'accepted' } });
    expect(timeline.refused.size).toBe(0);

    world.failing.set('sendMessage', 'diskFull');
    await timeline.send('Never mind', null);
    await timeline.discard(timeline.items.at(-1)!.id);
    expect(texts(timeline.items)).not.toContain('Never mind');
    expect(world.called('discardMessage')).toEqual([]);
  });

  it('asks Rust to retry what Rust gave up', async () => {
    const world = fullWorld();
    world.accepting = false;
    const { timeline } = await inRoom(world, 'field');
    await timeline.send('Slow', null);
    const item = timeline.items.at(-1)!;
    if (item.kind.kind !== 'message') throw new Error('not a message');
    world.emit({ type: 'item', room: 'field', item: { ...item, kind: { ...item.kind, delivery: 'failed' } } });
    await timeline.retry(item.id);
    expect(world.called('retryMessage')).toEqual([['field', item.id]]);
  });

  it('reads back page by page to the beginning, nothing lost or doubled', async () => {
    const { timeline } = await inRoom(bigWorld(), 'long');
    expect(timeline.more).toBe(true);
    while (await timeline.older()) expect(timeline.prepended).toBe(true);
    expect(timeline.more).toBe(false);
    expect(new Set(timeline.items.map((item) => item.id)).size).toBe(1_400);
    expect([...timeline.items].sort((a, b) => a.position - b.position)).toEqual(timeline.items);
  });

  it('reads back until a quoted message is here', async () => {
    const { timeline } = await inRoom(bigWorld(), 'long');
    expect(await timeline.reach('long-700')).toBe(true);
    expect(timeline.items.some((item) => item.id === 'long-700')).toBe(true);
    expect(await timeline.reach('nowhere')).toBe(false);
  });

  it('loses nothing that comes while it loads', async () => {
    const world = fullWorld();
    const app = await started(world);
    app.rooms.select('field');
    world.say('field', 'bob', 'In between');
    await app.rooms.opened('field')!.load();
    expect(texts(app.rooms.opened('field')!.timeline.items).filter((text) => text === 'In between')).toHaveLength(1);
  });

  it('lets go of what was read back when the room is entered again', async () => {
    const { app, timeline } = await inRoom(bigWorld(), 'long');
    while (await timeline.older());
    app.rooms.select('field');
    app.rooms.select('long');
    expect(timeline.items.length).toBeLessThanOrEqual(200);
    expect(timeline.more).toBe(true);
  });
});
