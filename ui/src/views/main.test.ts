import { screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { emptyWorld, fullWorld, hostileWorld } from '../ipc/fake/worlds';
import { opened, settled } from '../test/open';

const user = userEvent.setup();
const texts = (id: string) => screen.queryAllByTestId(id).map((one) => one.textContent?.trim());

describe('the main window', () => {
  it('shows a message at once and its mark when the relay has it', async () => {
    const world = fullWorld();
    world.accepting = false;
    const app = await opened(world);
    await screen.findByTestId('main');
    app.select('field');
    await user.type(await screen.findByTestId('composer-input'), 'On my way{Enter}');
    expect(screen.getByTestId('composer-input')).toHaveProperty('value', '');
    await waitFor(() => expect(texts('message-text').at(-1)).toBe('On my way'));
    expect(screen.getAllByTestId('message-state').at(-1)?.dataset.state).toBe('pending');
    world.accept('field', String(world.called('sendMessage')[0]?.[1]));
    await waitFor(() => expect(screen.getAllByTestId('message-state').at(-1)?.dataset.state).toBe('sent'));
  });

  it('says that a room catches up, and stops saying it', async () => {
    const world = fullWorld();
    world.place('field').room = { ...world.place('field').room, inSync: false };
    const app = await opened(world);
    app.select('field');
    expect((await screen.findByTestId('room-catching')).textContent).toBe('Catching up…');
    world.change('field', { inSync: true });
    await waitFor(() => expect(screen.queryByTestId('room-catching')).toBeNull());
  });

  it('asks for a relay’s invite code on the welcome screen', async () => {
    const world = emptyWorld();
    world.start = { type: 'new', keyring: 'working' };
    world.codes.set('wss://relay.example.org', 'sesame');
    await opened(world);
    await user.type(await screen.findByTestId('welcome-name'), 'Alice');
    await user.click(screen.getByTestId('welcome-relay'));
    await user.type(screen.getByTestId('welcome-address'), 'relay.example.org');
    expect(screen.queryByTestId('welcome-code')).toBeNull();
    await user.click(screen.getByTestId('welcome-start'));
    expect((await screen.findByTestId('welcome-refused')).textContent).toContain('asks for an invite code');
    await user.type(screen.getByTestId('welcome-code'), 'sesame{Enter}');
    expect(await screen.findByTestId('main')).toBeTruthy();
  });

  it('keeps what was typed in each room, and tells that one types', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.select('field');
    await user.type(await screen.findByTestId('composer-input'), 'half a th');
    expect(world.called('setTyping')).toEqual([['field', true]]);
    app.select('bob');
    await waitFor(() => expect(screen.getByTestId('composer-input')).toHaveProperty('value', 'see you at'));
    expect(world.called('setTyping').at(-1)).toEqual(['field', false]);
    expect(world.called('setDraft').at(-1)).toEqual(['field', 'half a th']);
    app.select('field');
    await waitFor(() => expect(screen.getByTestId('composer-input')).toHaveProperty('value', 'half a th'));
  });

  it('writes a new line with Shift and sends nothing that is empty', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.select('field');
    const field = await screen.findByTestId('composer-input');
    await user.type(field, '   {Enter}');
    expect(world.called('sendMessage')).toEqual([]);
    await user.clear(field);
    await user.type(field, 'one{Shift>}{Enter}{/Shift}two{Enter}');
    expect(world.called('sendMessage')[0]?.[2]).toBe('one\ntwo');
  });

  it('refuses what is longer than the limit and says by how much', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.select('field');
    const field = (await screen.findByTestId('composer-input')) as HTMLTextAreaElement;
    field.value = 'ä'.repeat(8 * 1024 + 1);
    field.dispatchEvent(new Event('input', { bubbles: true }));
    expect((await screen.findByTestId('composer-left')).textContent).toContain('2');
    expect(screen.getByTestId('composer-send')).toHaveProperty('disabled', true);
    expect(screen.getByTestId('composer-too-long').textContent).toContain('two parts');
  });

  it('counts to what the relay of the room takes', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.select('field');
    const field = (await screen.findByTestId('composer-input')) as HTMLTextAreaElement;
    field.value = 'x'.repeat(3_070);
    field.dispatchEvent(new Event('input', { bubbles: true }));
    expect(screen.queryByTestId('composer-left')).toBeNull();
    world.change('field', { longestText: 3_069 });
    expect((await screen.findByTestId('composer-left')).textContent).toContain('1');
    expect(screen.getByTestId('composer-send')).toHaveProperty('disabled', true);
    world.change('field', { longestText: 3_070 });
    await waitFor(() => expect(screen.getByTestId('composer-send')).toHaveProperty('disabled', false));
    expect(screen.queryByTestId('composer-too-long')).toBeNull();
  });

  it('marks as read what was on screen', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.select('kitchen');
    await waitFor(() => expect(world.called('markRead').length).toBeGreaterThan(0));
    await waitFor(() => expect(app.rooms.get('kitchen')?.unread).toBe(0));
    expect(await screen.findByTestId('unread-line')).toBeTruthy();
  });

  it('moves through the rooms with the arrow keys and opens with Enter', async () => {
    const app = await opened(fullWorld());
    const rows = await screen.findAllByTestId('room-row');
    rows[0]!.focus();
    await user.keyboard('{ArrowDown}');
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset.room).toBe(rows[1]!.dataset.room));
    await user.keyboard('{Enter}');
    expect(app.rooms.selected).toBe(rows[1]!.dataset.room);
  });

  it('jumps to a room from the palette', async () => {
    const app = await opened(fullWorld());
    await screen.findByTestId('main');
    await user.keyboard('{Control>}k{/Control}');
    await user.type(await screen.findByTestId('palette-input'), 'kitch{Enter}');
    expect(app.rooms.selected).toBe('kitchen');
    await waitFor(() => expect(screen.queryByTestId('palette')).toBeNull());
  });

  it('makes a room and opens it', async () => {
    const world = emptyWorld();
    const app = await opened(world);
    await user.click(await screen.findByTestId('new-room'));
    await user.type(await screen.findByTestId('new-room-name'), 'Picnic');
    await user.click(screen.getByTestId('new-room-by-host'));
    await user.click(screen.getByTestId('new-room-create'));
    await waitFor(() => expect(screen.getByTestId('room-title').textContent).toBe('Picnic'));
    expect(world.called('createRoom')[0]).toEqual(['ws://127.0.0.1:3030', 'Picnic', '', 'byHost']);
    expect(app.rooms.current?.name).toBe('Picnic');
  });

  it('checks an invite link while it is typed, then asks to be let in', async () => {
    const world = emptyWorld();
    await opened(world);
    await user.click(await screen.findByTestId('join-open'));
    const field = await screen.findByTestId('join-link');
    await user.click(field);
    await user.paste('sotto://join/relay.example.org:3030/x');
    const dialog = screen.getByTestId('join-dialog');
    await waitFor(() => expect(within(dialog).getByText(/end of the link is missing/)).toBeTruthy());
    expect(screen.getByTestId('join-submit')).toHaveProperty('disabled', true);
    await user.paste('#c2VjcmV0');
    await screen.findByTestId('join-found');
    await user.click(screen.getByTestId('join-submit'));
    await waitFor(() => expect(screen.getByTestId('standing').dataset.state).toBe('knocking'));
  });

  it('lets in who knocks', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.desk.people = true;
    app.select('garden');
    await user.click(await screen.findByTestId('knock-admit'));
    expect(world.called('answerKnock')).toEqual([['garden', 'k9', true]]);
    await waitFor(() => expect(screen.queryByTestId('knock')).toBeNull());
    await waitFor(() => expect(texts('person-name')).toContain('Frank'));
  });

  it('makes an invite link, copies and revokes it', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.desk.people = true;
    app.select('field');
    await user.click(await screen.findByTestId('invite-create'));
    const link = (await screen.findByTestId('invite-link')).textContent;
    expect(link).toMatch(/^sotto:/);
    await user.click(screen.getByTestId('invite-copy'));
    expect(world.called('copyText')).toEqual([[link]]);
    await user.click(screen.getByTestId('invite-revoke'));
    await waitFor(() => expect(screen.queryByTestId('invite')).toBeNull());
  });

  it('shows twelve groups of five digits and remembers that they match', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.desk.people = true;
    app.select('field');
    await user.click(await screen.findByTestId('verify-open'));
    const digits = (await screen.findByTestId('verify-digits')).textContent?.trim().split(/\s+/);
    expect(digits).toHaveLength(12);
    expect(digits?.every((group) => /^\d{5}$/.test(group))).toBe(true);
    await user.click(screen.getByTestId('verify-confirm'));
    expect(world.called('setVerified')).toEqual([['carol', true]]);
    await waitFor(() => expect(screen.getByTestId('shield').dataset.state).toBe('verified'));
  });

  it('asks before it removes somebody', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.desk.people = true;
    app.select('field');
    await user.click((await screen.findAllByTestId('person-menu'))[0]!);
    await user.click(await screen.findByTestId('person-remove'));
    await user.click(await screen.findByTestId('confirm-no'));
    expect(world.called('removePerson')).toEqual([]);
    await user.click((await screen.findAllByTestId('person-menu'))[0]!);
    await user.click(await screen.findByTestId('person-remove'));
    await user.click(await screen.findByTestId('confirm-yes'));
    expect(world.called('removePerson')).toEqual([['field', 'bob']]);
  });

  it('says what went wrong and what is safe', async () => {
    const world = fullWorld();
    const app = await opened(world);
    world.failing.set('createInvite', 'busy');
    app.desk.people = true;
    app.select('field');
    await user.click(await screen.findByTestId('invite-create'));
    expect((await screen.findByTestId('toast')).textContent).toContain('Nothing is lost');
  });

  it('shows what still works while offline', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.select('field');
    await screen.findByTestId('composer-input');
    const status = { type: 'waiting', retryInMs: 9_000, why: 'unreachable' } as const;
    world.emit({ type: 'relay', relay: { ...world.relays[0]!, status } });
    expect((await screen.findByTestId('offline')).textContent).toContain('You can read and write');
    expect(screen.getByTestId('connection-status').dataset.state).toBe('waiting');
    await user.click(screen.getByTestId('connection-now'));
    expect(world.called('reconnectNow')).toHaveLength(1);
  });

  it('shows who types, here and in the list', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.select('field');
    await screen.findByTestId('composer-input');
    await settled();
    world.emit({ type: 'typing', room: 'field', users: ['bob'] });
    await waitFor(() => expect(screen.getByTestId('typing').textContent).toContain('Bob is typing'));
    world.emit({ type: 'typing', room: 'field', users: [] });
    await waitFor(() => expect(screen.getByTestId('typing').textContent?.trim()).toBe(''));
  });

  it('shows hostile text as text', async () => {
    const app = await opened(hostileWorld());
    app.select('hostile');
    await screen.findByTestId('composer-input');
    await waitFor(() => expect(texts('message-text').some((text) => text?.includes('<img src=x onerror=alert(1)>'))).toBe(true));
    expect(document.querySelector('[data-testid="timeline"] :is(img, script, iframe, a)')).toBeNull();
  });

  it('opens links through Rust only', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.select('field');
    const link = await screen.findByTestId('message-link');
    link.focus();
    await user.keyboard('{Enter}');
    expect(world.called('openLink')).toEqual([['https://maps.example.org/field/site-2,']]);
  });

  it('speaks German when asked', async () => {
    const world = fullWorld();
    const app = await opened(world);
    await screen.findByTestId('main');
    await app.settings.change({ language: 'de' });
    await waitFor(() => expect(document.documentElement.lang).toBe('de'));
    await waitFor(() => expect(screen.getByTestId('connection-status').textContent).toContain('Verbunden'));
    await app.settings.change({ language: 'en' });
    await waitFor(() => expect(document.documentElement.lang).toBe('en'));
  });
});

describe('before the main window', () => {
  it('shows why a start failed and tries again', async () => {
    const world = fullWorld();
    world.start = { type: 'failed', code: 'profileInUse' };
    await opened(world);
    expect((await screen.findByTestId('start-failed-what')).textContent).toContain('already running');
    world.start = null;
    await user.click(screen.getByTestId('start-failed-again'));
    expect(await screen.findByTestId('main')).toBeTruthy();
  });

  it('says when the keyring was tried again in vain, and opens once it answers', async () => {
    const world = fullWorld();
    world.start = { type: 'locked', keyring: 'noService', passphrase: false, recovery: false, appLock: false };
    await opened(world);
    await user.click(await screen.findByTestId('unlock-keyring'));
    expect(await screen.findByTestId('unlock-vain')).toBeTruthy();
    world.start = null;
    await user.click(screen.getByTestId('unlock-keyring'));
    expect(await screen.findByTestId('main')).toBeTruthy();
    expect(world.called('retryKeyring')).toHaveLength(2);
  });

  it('unlocks with the passphrase after saying why it is locked', async () => {
    const world = fullWorld();
    world.start = { type: 'locked', keyring: 'entryMissing', passphrase: true, recovery: true, appLock: false };
    await opened(world);
    expect((await screen.findByTestId('unlock-why')).textContent).toContain('key is not in it');
    await user.type(screen.getByTestId('unlock-passphrase'), 'wrong{Enter}');
    await waitFor(() => expect(screen.getByText(/not the passphrase/)).toBeTruthy());
    await user.clear(screen.getByTestId('unlock-passphrase'));
    await user.type(screen.getByTestId('unlock-passphrase'), `${world.passphrase}{Enter}`);
    expect(await screen.findByTestId('main')).toBeTruthy();
  });

  it('goes from a name to a room list with one click', async () => {
    const world = emptyWorld();
    world.start = { type: 'new', keyring: 'working' };
    await opened(world);
    await user.type(await screen.findByTestId('welcome-name'), 'Alice');
    await user.click(screen.getByTestId('welcome-start'));
    expect(await screen.findByTestId('main')).toBeTruthy();
    expect(screen.getByTestId('me-name').textContent).toBe('Alice');
  });
});

describe('trouble', () => {
  it('with the own disk is not blamed on a relay', async () => {
    const world = fullWorld();
    world.problems = [{ type: 'diskFull' }];
    world.relays = world.relays.map((relay) => ({ ...relay, status: { type: 'off' } }));
    const app = await opened(world);
    app.select('field');
    await screen.findByTestId('composer-input');
    expect(texts('problem')).toHaveLength(1);
    expect(screen.queryByTestId('offline')).toBeNull();
    expect(screen.getByTestId('connection-status').textContent).toContain('Offline');
  });

  it('with a relay elsewhere is not called that of this computer', async () => {
    const world = fullWorld();
    world.relays = world.relays.map((relay) => ({ ...relay, builtIn: false, status: { type: 'off' } }));
    const app = await opened(world);
    app.select('field');
    const said = (await screen.findByTestId('offline')).textContent;
    expect(said).toContain('is not connected');
    expect(said).not.toContain('this computer');
  });

  it('of a relay that cannot store says why messages wait', async () => {
    const world = fullWorld();
    const app = await opened(world);
    app.select('field');
    await screen.findByTestId('composer-input');
    expect(screen.queryByTestId('cannot-store')).toBeNull();
    world.change('field', { relayCannotStore: true });
    expect((await screen.findByTestId('cannot-store')).textContent).toContain('cannot store');
  });

  it('says what a relay refused, and to whom a welcome did not come', async () => {
    const world = fullWorld();
    await opened(world);
    await screen.findByTestId('main');
    world.emit({ type: 'refused', room: 'field', code: 'tooLarge' });
    world.emit({ type: 'letterRefused', room: 'field', name: 'Dan', code: 'notFound' });
    expect(await screen.findByText(/Field notes: This is too large/)).toBeTruthy();
    expect(await screen.findByText(/Dan was let into Field notes/)).toBeTruthy();
  });
});
