/** Turns what Rust reports into changes. Each event carries the whole new value. */
import type { Event, Problem, Refusal } from '../ipc/bindings';
import { t } from '../text/index.svelte';
import type { Said } from '../text/words';
import type { App } from './app.svelte';
import { chime } from './sound';

export function apply(app: App, event: Event): void {
  const { rooms, connection } = app;
  switch (event.type) {
    case 'profile':
      if (app.me) app.me = { ...app.me, profile: event.profile };
      return;
    case 'room':
      return rooms.put(event.room);
    case 'roomGone':
      rooms.drop(event.room);
      if (rooms.selected === null) app.desk.pane = 'rooms';
      return;
    case 'item':
      return rooms.opened(event.room)?.timeline.put(event.item);
    case 'itemGone':
      return rooms.opened(event.room)?.timeline.drop(event.id);
    case 'people':
      rooms.learn(event.people);
      return rooms.opened(event.room)?.takePeople(event.people);
    case 'knocks': {
      const open = rooms.opened(event.room);
      if (open) open.knocks = event.knocks;
      return;
    }
    case 'invites': {
      const open = rooms.opened(event.room);
      if (open) open.invites = event.invites;
      return;
    }
    case 'typing':
      return rooms.takeTyping(event.room, event.users);
    case 'call':
      void rooms.meet(event.call.room, [event.call.by, ...event.call.participants.map((who) => who.user)]);
      return app.calls.put(event.call);
    case 'callGone':
      return app.calls.drop(event.call);
    case 'callAccepted':
      return app.calls.accepted(event.call, event.video);
    case 'reaction':
      return app.calls.reacted(event.call, event.user, event.emoji);
    case 'devices':
      app.calls.devices = event.devices;
      return;
    case 'relay':
      return connection.put(event.relay);
    case 'relayGone':
      return connection.drop(event.address);
    case 'builtIn':
      connection.builtIn = event.relay;
      return;
    case 'problem':
      app.problems = [...without(app.problems, event.problem), event.problem];
      return;
    case 'problemGone':
      app.problems = without(app.problems, event.problem);
      return;
    case 'refused':
      return app.notices.say('bad', refusal(app, event.room, event.code));
    case 'letterRefused': {
      const text = t().toast;
      const room = app.rooms.get(event.room)?.name ?? '';
      const why = t().refusals[event.code].what;
      return app.notices.say('bad', { what: text.letterRefused(event.name, room), then: text.letterThen(why) });
    }
    case 'notice':
      return app.notices.say('plain', { what: t().toast.notice(relayLabel(app, event.relay)), then: event.body });
    case 'notify':
      return announce(app, event.room);
    case 'link':
      return app.offerLink(event.link);
    case 'stopped':
      return app.fail(event.code);
    case 'lagged':
      void app.start();
      return;
  }
}

function without(problems: Problem[], gone: Problem): Problem[] {
  return problems.filter((problem) => problem.type !== gone.type);
}

function refusal(app: App, room: string | null, code: Refusal): Said {
  const { what, then } = t().refusals[code];
  const name = room === null ? undefined : app.rooms.get(room)?.name;
  return { what: name ? t().toast.refusedIn(name, what) : what, then };
}

function relayLabel(app: App, address: string): string {
  const relay = app.connection.get(address);
  return relay?.builtIn ? t().common.thisComputer : (relay?.label ?? '');
}

/** Inside the window, a toast; outside of it Rust notifies. Never for the room on screen. */
function announce(app: App, id: string): void {
  const room = app.rooms.get(id);
  const { notifications, sound } = app.settings.value;
  if (!room || room.muted || notifications === 'off' || !document.hasFocus() || app.rooms.selected === id) return;
  if (sound) chime();
  const open = { label: t().toast.open, run: () => app.select(id) };
  if (notifications === 'hidden') return app.notices.say('plain', { what: t().toast.newMessage, then: '' }, open);
  const last = room.last;
  const then = last && notifications === 'all' ? `${last.name}: ${last.text}` : (last?.name ?? '');
  app.notices.say('plain', { what: t().toast.newIn(room.name), then: then.slice(0, 160) }, open);
}
