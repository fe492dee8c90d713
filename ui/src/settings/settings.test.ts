import { screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { fullWorld } from '../ipc/fake/worlds';
import type { World } from '../ipc/fake/world';
import type { SettingsPage } from '../state/desk.svelte';
import { opened } from '../test/open';

const user = userEvent.setup();

async function onPage(page: SettingsPage, world: World = fullWorld()) {
  const app = await opened(world);
  app.desk.open({ type: 'settings', page });
  await screen.findByTestId('settings');
  return { app, world };
}

describe('settings', () => {
  it('change name and picture', async () => {
    const { app, world } = await onPage('profile');
    const field = screen.getByTestId('profile-name');
    await user.clear(field);
    await user.type(field, 'Alicia');
    await user.click(screen.getByTestId('profile-save'));
    expect(world.called('setProfile')[0]).toMatchObject([{ name: 'Alicia' }]);
    await waitFor(() => expect(app.me?.profile.name).toBe('Alicia'));
  });

  it('turn the page dark at once and remember it', async () => {
    const { world } = await onPage('appearance');
    await user.click(screen.getByTestId('theme-dark'));
    expect(document.documentElement.dataset.theme).toBe('dark');
    expect(world.settings.theme).toBe('dark');
    await user.click(screen.getByTestId('density-compact'));
    expect(document.documentElement.dataset.density).toBe('compact');
  });

  it('are shown only as they were kept, and say what was not', async () => {
    const { world } = await onPage('notifications');
    world.failing.set('setSettings', 'diskFull');
    await user.click(screen.getByTestId('tell-busy'));
    const toast = await screen.findByTestId('toast');
    expect(toast.textContent).toContain('Tell callers when you are in another call');
    expect(toast.textContent).toContain('The disk is full.');
    expect(screen.getByTestId('tell-busy').getAttribute('aria-checked')).toBe('true');
    await user.click(screen.getByTestId('settings-appearance'));
    await user.click(await screen.findByTestId('theme-dark'));
    await waitFor(() => expect(document.documentElement.dataset.theme).toBe('light'));
  });

  it('tell callers that one is busy, unless it is turned off', async () => {
    const { world } = await onPage('notifications');
    const tells = screen.getByTestId('tell-busy');
    expect(world.settings.tellBusy).toBe(true);
    await user.click(tells);
    await waitFor(() => expect(world.settings.tellBusy).toBe(false));
  });

  it('add a relay, and say what is wrong with an address', async () => {
    const { app } = await onPage('relay');
    await user.type(screen.getByTestId('relay-address'), 'not an address{Enter}');
    await waitFor(() => expect(screen.getByText(/not the address of a relay/)).toBeTruthy());
    await user.clear(screen.getByTestId('relay-address'));
    await user.type(screen.getByTestId('relay-address'), 'relay.example.org{Enter}');
    await waitFor(() => expect(app.connection.relays).toHaveLength(2));
  });

  it('keep a relay that rooms live on', async () => {
    const world = fullWorld();
    world.relays = [...world.relays, { address: 'wss://r:1', label: 'r:1', builtIn: false, status: { type: 'connected' } }];
    world.failing.set('removeRelay', 'relayInUse');
    const { app } = await onPage('relay', world);
    await user.click(await screen.findByTestId('relay-remove'));
    await waitFor(() => expect(screen.getByTestId('toast').textContent).toContain('rooms live on this relay'));
    expect(app.connection.relays).toHaveLength(2);
  });

  it('stop the relay on this computer and start it for the network', async () => {
    const { world } = await onPage('relay');
    await user.click(await screen.findByTestId('builtin-stop'));
    await user.click(await screen.findByTestId('builtin-reach-localNetwork'));
    await user.click(await screen.findByTestId('builtin-start'));
    expect(world.called('startBuiltInRelay')).toEqual([['localNetwork', 3030]]);
  });

  it('give a relay the invite code it asks for', async () => {
    const world = fullWorld();
    world.codes.set('wss://r:1', 'sesame');
    world.relays = [
      ...world.relays,
      { address: 'wss://r:1', label: 'r:1', builtIn: false, status: { type: 'waiting', retryInMs: 9_000, why: 'needsCode' } },
    ];
    const { app } = await onPage('relay', world);
    expect(screen.getByText(/Whoever runs it can give you one/)).toBeTruthy();
    await user.type(await screen.findByTestId('relay-code'), 'simsim{Enter}');
    await waitFor(() => expect(screen.getByText(/does not take this invite code/)).toBeTruthy());
    await user.clear(screen.getByTestId('relay-code'));
    await user.type(screen.getByTestId('relay-code'), 'sesame{Enter}');
    await waitFor(() => expect(app.connection.isUp('wss://r:1')).toBe(true));
    expect(screen.queryByTestId('relay-code')).toBeNull();
    expect(world.called('addRelay').at(-1)).toEqual(['wss://r:1', 'sesame']);
  });

  it('change who can reach the relay while it runs, and show what links carry', async () => {
    await onPage('relay');
    expect(screen.queryByTestId('builtin-network')).toBeNull();
    await user.click(await screen.findByTestId('builtin-reach-localNetwork'));
    await user.click(await screen.findByTestId('builtin-apply'));
    const network = await screen.findByTestId('builtin-network');
    expect(network.textContent).toContain('wss://192.168.1.23:3030');
    expect(network.textContent).not.toContain('#');
    expect(screen.getByTestId('builtin-state').textContent).toContain('ws://127.0.0.1:3030');
  });

  it('say what to do when this computer has another address', async () => {
    const world = fullWorld();
    world.builtIn = { ...world.builtIn, reach: 'localNetwork', network: 'wss://10.0.0.2:3030#x', former: 'wss://10.0.0.1:3030#x' };
    await onPage('relay', world);
    expect((await screen.findByTestId('builtin-moved')).textContent).toContain('It was wss://10.0.0.1:3030.');
    await user.click(screen.getByTestId('builtin-understood'));
    await waitFor(() => expect(screen.queryByTestId('builtin-moved')).toBeNull());
    expect(world.called('startBuiltInRelay')).toEqual([['localNetwork', null]]);
  });

  it('say that others cannot reach the relay, and that one still can', async () => {
    const world = fullWorld();
    world.builtIn = { ...world.builtIn, reach: 'localNetwork', error: 'addressUnavailable' };
    await onPage('relay', world);
    expect((await screen.findByTestId('builtin-stuck')).textContent).toContain('Your rooms go on here');
    expect(screen.queryByText(/Nothing was started/)).toBeNull();
  });

  it('hide the network address in calls, and say so where it could not be kept', async () => {
    const { app, world } = await onPage('security');
    await user.click(await screen.findByTestId('hide-address'));
    expect(world.settings.hideAddress).toBe(true);
    world.failing.set('setSettings', 'diskFull');
    await user.click(screen.getByTestId('hide-address'));
    await waitFor(() => expect(screen.getByTestId('toast')).toBeTruthy());
    expect(app.settings.value.hideAddress).toBe(true);
  });

  it('set a passphrase only when it is repeated alike', async () => {
    const { world } = await onPage('security');
    await user.click(await screen.findByTestId('passphrase-edit'));
    await user.type(screen.getByTestId('passphrase-new'), 'four unrelated words');
    await user.type(screen.getByTestId('passphrase-repeat'), 'four unrelated word');
    expect(screen.getByTestId('passphrase-save')).toHaveProperty('disabled', true);
    await user.type(screen.getByTestId('passphrase-repeat'), 's');
    await user.click(screen.getByTestId('passphrase-save'));
    expect(world.called('setPassphrase')).toEqual([['four unrelated words']]);
    expect(await screen.findByTestId('passphrase-remove')).toBeTruthy();
  });

  it('never give up the last way in', async () => {
    const { world } = await onPage('security');
    await user.click(await screen.findByTestId('keyring-slot'));
    await waitFor(() => expect(screen.getByTestId('toast').textContent).toContain('only way left'));
    expect(world.slots.keyringSlot).toBe(true);
    expect(screen.getByTestId('keyring-slot').getAttribute('aria-checked')).toBe('true');
  });
});

describe('the recovery code', () => {
  it('is offered once, shown once, and must be kept before it goes away', async () => {
    const world = fullWorld();
    world.settings = { ...world.settings, recoveryAsked: null };
    const app = await opened(world);
    await user.click(await screen.findByTestId('recovery-open'));
    await user.click(await screen.findByTestId('recovery-make'));
    expect((await screen.findByTestId('recovery-code')).textContent).toBe(world.recoveryCode.replaceAll('-', ''));
    expect(screen.getByTestId('recovery-done')).toHaveProperty('disabled', true);
    await user.keyboard('{Escape}');
    expect(screen.getByTestId('recovery-code')).toBeTruthy();
    await user.click(screen.getByTestId('recovery-kept'));
    await user.click(screen.getByTestId('recovery-done'));
    await waitFor(() => expect(screen.queryByTestId('recovery')).toBeNull());
    expect(app.settings.value.recoveryAsked).not.toBeNull();
    expect(screen.queryByTestId('recovery-offer')).toBeNull();
  });

  it('is not offered again after "not now"', async () => {
    const world = fullWorld();
    world.settings = { ...world.settings, recoveryAsked: null };
    await opened(world);
    await user.click(await screen.findByTestId('recovery-later'));
    await waitFor(() => expect(screen.queryByTestId('recovery-offer')).toBeNull());
    expect(world.settings.recoveryAsked).not.toBeNull();
  });
});
