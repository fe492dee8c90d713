/** What the palette can do besides opening rooms. */
import type { App } from '../state/app.svelte';
import { t } from '../text/index.svelte';

export type Command = { label: string; keys?: string; run: () => void };

export function commandList(app: App): Command[] {
  const text = t().commands;
  const { desk, settings } = app;
  const { theme, density } = settings.value;
  const list: (Command | false)[] = [
    { label: text.newRoom, keys: 'Mod+N', run: () => desk.open({ type: 'newRoom' }) },
    { label: text.join, keys: 'Mod+J', run: () => desk.open({ type: 'join', link: '', clicked: false }) },
    { label: text.nextUnread, keys: 'Alt+Shift+Down', run: () => app.rooms.step(1, true) },
    app.rooms.current !== null && { label: text.people, keys: 'Mod+Shift+P', run: () => void (desk.people = !desk.people) },
    ...calling(app),
    { label: text.settings, keys: 'Mod+,', run: () => desk.open({ type: 'settings', page: 'profile' }) },
    { label: text.devices, run: () => desk.open({ type: 'settings', page: 'devices' }) },
    { label: text.relay, run: () => desk.open({ type: 'settings', page: 'relay' }) },
    { label: text.security, run: () => desk.open({ type: 'settings', page: 'security' }) },
    { label: text.shortcuts, keys: 'Mod+/', run: () => desk.open({ type: 'shortcuts' }) },
    app.connection.summary.kind === 'waiting' && { label: text.reconnect, run: () => void app.attempt(app.ipc.reconnectNow()) },
    theme !== 'light' && { label: text.light, run: () => void settings.change({ theme: 'light' }) },
    theme !== 'dark' && { label: text.dark, run: () => void settings.change({ theme: 'dark' }) },
    theme !== 'system' && { label: text.system, run: () => void settings.change({ theme: 'system' }) },
    density === 'compact'
      ? { label: text.comfortable, run: () => void settings.change({ density: 'comfortable' }) }
      : { label: text.compact, run: () => void settings.change({ density: 'compact' }) },
  ];
  return list.filter((command) => command !== false);
}

function calling({ calls, rooms }: App): Command[] {
  const text = t().commands;
  if (calls.own) {
    return [
      { label: text.callBack, keys: 'Mod+Shift+F', run: () => void (calls.stage = true) },
      { label: text.callLeave, run: () => void calls.leave() },
    ];
  }
  const room = rooms.current;
  if (!room || room.standing.state !== 'member' || room.memberCount <= 1) return [];
  return [
    { label: text.callVoice, run: () => void (calls.lobby = { room: room.id, video: false }) },
    { label: text.callVideo, run: () => void (calls.lobby = { room: room.id, video: true }) },
  ];
}
