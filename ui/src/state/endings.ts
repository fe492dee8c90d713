/** The questions before a room ends for oneself or for all. */
import type { Room } from '../ipc/bindings';
import type { App } from './app.svelte';
import { t } from '../text/index.svelte';

export function askLeave(app: App, room: Room, done: () => void = () => {}): void {
  const text = t().roomSettings;
  const host = room.host === app.me?.user && room.memberCount > 1;
  app.desk.ask({
    title: text.leaveTitle(room.name),
    text: host ? `${text.leaveText}\n\n${text.leaveHost}` : text.leaveText,
    yes: text.leave,
    danger: true,
    run: async () => {
      if ((await app.attempt(app.ipc.leaveRoom(room.id))) !== undefined) done();
    },
  });
}

export function askDelete(app: App, room: Room, done: () => void = () => {}): void {
  const text = t().roomSettings;
  app.desk.ask({
    title: text.deleteTitle(room.name),
    text: text.deleteText,
    yes: text.delete,
    danger: true,
    run: async () => {
      if ((await app.attempt(app.ipc.deleteRoom(room.id))) !== undefined) done();
    },
  });
}

export function askForget(app: App, room: Room, done: () => void = () => {}): void {
  const text = t().roomSettings;
  app.desk.ask({
    title: text.forgetTitle(room.name),
    text: text.forgetText,
    yes: text.forget,
    danger: true,
    run: async () => {
      if ((await app.attempt(app.ipc.forgetRoom(room.id))) !== undefined) done();
    },
  });
}
