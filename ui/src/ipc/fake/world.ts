/** A world in memory that answers like Rust: rooms, people, failures and delays under control. */
import type {
  BuiltInRelay,
  ErrorCode,
  Event,
  Invite,
  Item,
  ItemKind,
  Knock,
  LinkStatus,
  Me,
  Person,
  Problem,
  Quote,
  Relay,
  Room,
  Safety,
  Settings,
  Slots,
  Snapshot,
  Start,
  SystemLine,
} from '../bindings';
import type { Answer, Ipc, Listen } from '../client';
import { newId } from '../../state/ids';
import { PENDING } from '../../state/positions';
import { DEFAULTS } from '../../state/settings.svelte';
import { blocks } from './markdown';
import { Phone } from './phone';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export type Place = { room: Room; items: Item[]; people: Person[]; knocks: Knock[]; invites: Invite[] };

type Name = keyof Ipc;
type Plain = { [K in Name]: (...args: Parameters<Ipc[K]>) => Awaited<ReturnType<Ipc[K]>> };

export class World {
  me: Me = { user: 'alice', device: 'alice-1', profile: { name: 'Alice', emoji: '', color: 0 } };
  places = new Map<string, Place>();
  relays: Relay[] = [];
  problems: Problem[] = [];
  settings: Settings = { ...DEFAULTS, recoveryAsked: 1 };
  link: string | null = null;
  /** What `open` answers instead of the snapshot. */
  start: Start | null = null;
  slots: Slots = { keyring: 'working', keyringSlot: true, passphrase: false, recovery: false, appLock: false };
  builtIn: BuiltInRelay = { running: false, reach: 'thisComputer', address: null, network: null, former: null, port: 3030, error: null };
  /** Relays that admit by invite code, and which code that is. */
  codes = new Map<string, string>();
  passphrase = 'correct horse battery staple';
  recoveryCode = 'K7QM-2F9X-RWTA-51HD-PZ8C-4N6J';
  /** Commands that fail, and how. */
  failing = new Map<Name, ErrorCode>();
  /** Milliseconds each command takes. */
  delay = 0;
  /** Every call, in order, for tests. */
  calls: { name: Name; args: unknown[] }[] = [];
  /** Whether the relay takes messages. */
  accepting = true;
  readonly phone: Phone = new Phone(this);
  #listen: Listen = () => {};
  #seq = 1_000_000;

  emit(event: Event): void {
    this.#listen(event);
  }

  snapshot(): Snapshot {
    const { me, relays, problems, settings, link } = this;
    const rooms = [...this.places.values()].map((place) => place.room);
    return { me, rooms, calls: [...this.phone.calls.values()], relays, problems, settings, link };
  }

  place(id: string): Place {
    const place = this.places.get(id);
    if (!place) throw new Error(`no room ${id}`);
    return place;
  }

  change(id: string, part: Partial<Room>): void {
    const place = this.place(id);
    place.room = { ...place.room, ...part };
    this.emit({ type: 'room', room: place.room });
  }

  nextSeq(): number {
    return ++this.#seq;
  }

  /** The relay takes whoever it admits. */
  admit(relay: Relay, code: string | null): void {
    const wanted = this.codes.get(relay.address);
    const status: LinkStatus =
      wanted === undefined || code === wanted ? { type: 'connected' } : { type: 'waiting', retryInMs: 8_000, why: code === null ? 'needsCode' : 'wrongCode' };
    const next = { ...relay, status };
    this.relays = [...this.relays.filter((one) => one.address !== relay.address), next];
    this.emit({ type: 'relay', relay: next });
  }

  /** Somebody says something, now. */
  say(id: string, from: string, text: string, replyTo: Quote | null = null): Item {
    const place = this.place(id);
    const person = place.people.find((one) => one.user === from);
    const name = person?.profile.name ?? from;
    const seq = this.nextSeq();
    const item: Item = {
      id: newId(),
      position: seq * 1000,
      seq,
      at: Date.now(),
      kind: { kind: 'message', from, name, text, blocks: blocks(text), replyTo, delivery: 'accepted' },
    };
    place.items.push(item);
    this.emit({ type: 'item', room: id, item });
    const mine = from === this.me.user;
    this.change(id, {
      last: { from, name, text, at: item.at },
      activeAt: item.at,
      unread: mine ? place.room.unread : place.room.unread + 1,
    });
    return item;
  }

  note(id: string, line: SystemLine): void {
    const place = this.place(id);
    const seq = this.nextSeq();
    const kind: ItemKind = { kind: 'system', line };
    const item: Item = { id: newId(), position: seq * 1000, seq, at: Date.now(), kind };
    place.items.push(item);
    this.emit({ type: 'item', room: id, item });
  }

  /** The relay takes what waits; the order of the room decides its place. */
  accept(id: string, message: string): void {
    const place = this.place(id);
    const item = place.items.find((one) => one.id === message);
    if (!item || item.kind.kind !== 'message') return;
    const seq = this.nextSeq();
    const accepted: Item = { ...item, seq, position: seq * 1000, kind: { ...item.kind, delivery: 'accepted' } };
    place.items = [...place.items.filter((one) => one.id !== message), accepted];
    this.emit({ type: 'item', room: id, item: accepted });
  }

  ipc(): Ipc {
    const world = this;
    const ok = <T>(data: T): Answer<T> => ({ status: 'ok', data });
    const bad = (code: ErrorCode): Answer<never> => ({ status: 'error', error: { code, max: null, link: null } });
    const opened = (): Start => {
      world.start = null;
      return { type: 'open', snapshot: world.snapshot() };
    };
    const known = <T>(id: string, then: (place: Place) => T): Answer<T> => {
      const place = world.places.get(id);
      return place ? ok(then(place)) : bad('unknownRoom');
    };
    const people = (room: string, next: Person[]) => {
      world.place(room).people = next;
      world.emit({ type: 'people', room, people: next });
    };

    const plain: Plain = {
      ...(world.phone.commands() as Required<ReturnType<Phone['commands']>>),
      open: (listen) => {
        world.#listen = listen;
        return ok(world.start ?? opened());
      },
      createProfile: (profile) => {
        world.me = { ...world.me, profile };
        return ok(opened());
      },
      unlock: (secret, kind) => {
        if (kind === 'passphrase') return secret === world.passphrase ? ok(opened()) : bad('wrongPassphrase');
        const code = secret.replace(/[\s-]/g, '').toUpperCase();
        return code === world.recoveryCode.replaceAll('-', '') ? ok(opened()) : bad('wrongRecoveryCode');
      },
      retryKeyring: () => ok(world.start ?? opened()),
      setProfile: (profile) => {
        world.me = { ...world.me, profile };
        world.emit({ type: 'profile', profile });
        return ok(null);
      },
      startBuiltInRelay: (reach, port) => {
        const at = port ?? 3030;
        const address = `ws://127.0.0.1:${at}`;
        const network = reach === 'localNetwork' ? `wss://192.168.1.23:${at}#${'c2VjcmV0'.repeat(5)}c2U` : null;
        world.builtIn = { running: true, reach, address, network, former: null, port: at, error: null };
        world.emit({ type: 'builtIn', relay: world.builtIn });
        const relay: Relay = { address, label: address.slice(5), builtIn: true, status: { type: 'connected' } };
        world.relays = [...world.relays.filter((one) => !one.builtIn), relay];
        world.emit({ type: 'relay', relay });
        return ok(world.builtIn);
      },
      stopBuiltInRelay: () => {
        world.builtIn = { ...world.builtIn, running: false };
        world.emit({ type: 'builtIn', relay: world.builtIn });
        for (const relay of world.relays.filter((one) => one.builtIn)) {
          world.emit({ type: 'relay', relay: { ...relay, status: { type: 'off' } } });
        }
        return ok(null);
      },
      builtInRelay: () => ok(world.builtIn),
      addRelay: (text, code) => {
        if (/[\s/]/.test(text.replace(/^wss?:\/\//, ''))) return bad('badAddress');
        const address = text.includes('://') ? text : `wss://${text}`;
        const host = address.split('://')[1] ?? '';
        const relay: Relay = {
          address,
          label: host.includes(':') ? host : `${host}:3030`,
          builtIn: false,
          status: { type: 'connecting' },
        };
        world.relays = [...world.relays.filter((one) => one.address !== address), relay];
        world.emit({ type: 'relay', relay });
        world.admit(relay, code);
        return ok(address);
      },
      removeRelay: (address) => {
        if ([...world.places.values()].some((place) => place.room.relay === address)) return bad('relayInUse');
        world.relays = world.relays.filter((relay) => relay.address !== address);
        world.emit({ type: 'relayGone', address });
        return ok(null);
      },
      reconnectNow: () => {
        for (const relay of world.relays) {
          if (relay.status.type === 'waiting') world.emit({ type: 'relay', relay: { ...relay, status: { type: 'connecting' } } });
        }
        return ok(null);
      },
      createRoom: (relay, name, topic, admission) => {
        const clean = name.trim();
        if (!clean) return bad('badName');
        const id = newId();
        const room = emptyRoom(id, relay, clean, world.me.user);
        world.places.set(id, {
          room: { ...room, topic, admission },
          items: [],
          people: [{ ...person(world.me.user, world.me.profile.name, world.me.profile.color), me: true, host: true, online: true }],
          knocks: [],
          invites: [],
        });
        world.emit({ type: 'room', room: world.place(id).room });
        world.note(id, { event: 'created', by: { user: world.me.user, name: world.me.profile.name } });
        return ok(id);
      },
      changeRoom: (room, name, topic, admission) => known(room, () => (world.change(room, { name, topic, admission }), null)),
      checkLink: (link) => {
        const text = link.trim();
        const fault = (kind: 'notALink' | 'expired' | 'secretMissing'): Answer<never> => ({
          status: 'error',
          error: { code: 'badLink', max: null, link: kind },
        });
        if (!text.startsWith('sotto:')) return fault('notALink');
        if (text.includes('expired')) return fault('expired');
        if (!text.includes('#')) return fault('secretMissing');
        return ok({ relay: 'wss://relay.example.org:3030', expires: Date.now() + 6 * DAY });
      },
      join: (link) => {
        if (!link.trim().startsWith('sotto:')) return { status: 'error', error: { code: 'badLink', max: null, link: 'notALink' } };
        const id = newId();
        const room = emptyRoom(id, 'wss://relay.example.org:3030', 'Reading group', null);
        world.places.set(id, { room: { ...room, standing: { state: 'knocking' } }, items: [], people: [], knocks: [], invites: [] });
        world.emit({ type: 'room', room: world.place(id).room });
        world.admit({ address: room.relay, label: room.relay.slice(6), builtIn: false, status: { type: 'connecting' } }, null);
        return ok(id);
      },
      cancelJoin: (room) => forget(room),
      createInvite: (room, validForMs) =>
        known(room, (place) => {
          const invite: Invite = {
            id: newId(),
            link: `sotto://join/relay.example.org:3030/${room}?i=4f2k9s#${newId()}${newId()}`,
            created: Date.now(),
            expires: Date.now() + validForMs,
            by: world.me.user,
          };
          place.invites = [...place.invites, invite];
          world.emit({ type: 'invites', room, invites: place.invites });
          return invite;
        }),
      revokeInvite: (room, id) =>
        known(room, (place) => {
          place.invites = place.invites.filter((one) => one.id !== id);
          world.emit({ type: 'invites', room, invites: place.invites });
          return null;
        }),
      answerKnock: (room, id, admit) =>
        known(room, (place) => {
          const knock = place.knocks.find((one) => one.id === id);
          place.knocks = place.knocks.filter((one) => one.id !== id);
          world.emit({ type: 'knocks', room, knocks: place.knocks });
          world.change(room, { knocks: place.knocks.length });
          if (knock && admit) {
            people(room, [...place.people, { ...person(knock.user, knock.profile.name, knock.profile.color), addedBy: world.me.user }]);
            const me = { user: world.me.user, name: world.me.profile.name };
            world.note(room, { event: 'joined', who: { user: knock.user, name: knock.profile.name }, by: me });
          }
          return null;
        }),
      removePerson: (room, user) =>
        known(room, (place) => (people(room, place.people.filter((one) => one.user !== user)), null)),
      makeHost: (room, user) =>
        known(room, (place) => {
          people(room, place.people.map((one) => ({ ...one, host: one.user === user })));
          world.change(room, { host: user });
          return null;
        }),
      leaveRoom: (room) => known(room, () => (world.change(room, { standing: { state: 'left' } }), null)),
      deleteRoom: (room) => known(room, () => (world.change(room, { standing: { state: 'deleted', by: world.me.user } }), null)),
      forgetRoom: (room) => forget(room),
      people: (room) => known(room, (place) => place.people),
      knocks: (room) => known(room, (place) => place.knocks),
      invites: (room) => known(room, (place) => place.invites),
      safety: (user) => ok(safety(user, world.verifiedAt(user))),
      setVerified: (user, verified) => {
        for (const [room, place] of world.places) {
          if (!place.people.some((one) => one.user === user)) continue;
          people(room, place.people.map((one) => (one.user === user ? { ...one, verifiedAt: verified ? Date.now() : null } : one)));
        }
        return ok(null);
      },
      timeline: (room, before, limit) =>
        known(room, (place) => {
          const older = before === null ? place.items : place.items.filter((item) => item.position < before);
          const items = older.slice(-limit);
          return { items, more: older.length > items.length };
        }),
      sendMessage: (room, id, text, replyTo) => {
        if (text.trim() === '') return bad('emptyMessage');
        return known(room, (place) => {
          const item: Item = {
            id,
            position: PENDING + world.nextSeq(),
            seq: null,
            at: Date.now(),
            kind: {
              kind: 'message',
              from: world.me.user,
              name: world.me.profile.name,
              text,
              blocks: blocks(text),
              replyTo,
              delivery: 'pending',
            },
          };
          place.items.push(item);
          world.emit({ type: 'item', room, item });
          if (world.accepting) queueMicrotask(() => world.accept(room, id));
          return null;
        });
      },
      retryMessage: (room, id) => known(room, () => (world.accept(room, id), null)),
      discardMessage: (room, id) =>
        known(room, (place) => {
          place.items = place.items.filter((item) => item.id !== id);
          world.emit({ type: 'itemGone', room, id });
          return null;
        }),
      setTyping: () => ok(null),
      markRead: (room, position) =>
        known(room, (place) => {
          const unread = place.items.filter(
            (item) => item.position > position && item.kind.kind === 'message' && item.kind.from !== world.me.user,
          ).length;
          world.change(room, { readPosition: Math.max(position, place.room.readPosition), unread });
          return null;
        }),
      setDraft: (room, draft) => known(room, () => (world.change(room, { draft }), null)),
      setPrefs: (room, muted, pinned, archived) => known(room, () => (world.change(room, { muted, pinned, archived }), null)),
      setSettings: (settings) => ((world.settings = settings), ok(null)),
      slots: () => ok(world.slots),
      setPassphrase: (passphrase) => {
        if (passphrase !== null && passphrase.length < 8) return bad('weakPassphrase');
        if (passphrase === null && !world.slots.keyringSlot && !world.slots.recovery) return bad('lastSlot');
        world.slots = { ...world.slots, passphrase: passphrase !== null };
        return ok(null);
      },
      newRecoveryCode: () => {
        world.slots = { ...world.slots, recovery: true };
        return ok(world.recoveryCode);
      },
      setKeyringSlot: (on) => {
        if (!on && !world.slots.passphrase && !world.slots.recovery) return bad('lastSlot');
        world.slots = { ...world.slots, keyringSlot: on, appLock: !on };
        return ok(null);
      },
      about: () => ok({ version: '0.1.0', logs: '~/.local/share/sotto/logs', data: '~/.local/share/sotto' }),
      openLink: () => ok(null),
      copyText: () => ok(null),
    };

    function forget(room: string): Answer<null> {
      world.places.delete(room);
      world.emit({ type: 'roomGone', room });
      return ok(null);
    }

    const door: Record<string, unknown> = {};
    for (const [name, answer] of Object.entries(plain) as [Name, (...args: unknown[]) => Answer<unknown>][]) {
      door[name] = async (...args: unknown[]) => {
        world.calls.push({ name, args });
        if (world.delay > 0) await new Promise((done) => setTimeout(done, world.delay));
        const code = world.failing.get(name);
        return code ? bad(code) : answer(...args);
      };
    }
    return door as unknown as Ipc;
  }

  verifiedAt(user: string): number | null {
    for (const { people } of this.places.values()) {
      const found = people.find((one) => one.user === user);
      if (found) return found.verifiedAt;
    }
    return null;
  }

  called(name: Name): unknown[][] {
    return this.calls.filter((call) => call.name === name).map((call) => call.args);
  }
}

export function emptyRoom(id: string, relay: string, name: string, host: string | null): Room {
  return {
    id,
    relay,
    name,
    topic: '',
    standing: { state: 'member' },
    admission: 'atOnce',
    host,
    memberCount: 1,
    unverified: 0,
    unread: 0,
    readPosition: 0,
    last: null,
    activeAt: Date.now(),
    draft: '',
    muted: false,
    pinned: false,
    archived: false,
    knocks: 0,
    epoch: 1,
    inSync: true,
    relayCannotStore: false,
    longestText: 16 * 1024,
  };
}

export function person(user: string, name: string, color: number, emoji = ''): Person {
  return {
    user,
    profile: { name, emoji, color },
    me: false,
    host: false,
    verifiedAt: null,
    addedBy: null,
    online: false,
    delivered: 0,
    read: 0,
  };
}

/** Digits and a picture that look like the real ones; nothing is proven by them. */
function safety(user: string, verifiedAt: number | null): Safety {
  let state = [...user].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) >>> 0, 7);
  const next = () => (state = (state * 1_664_525 + 1_013_904_223) >>> 0) >>> 8;
  const digits = Array.from({ length: 60 }, () => String(next() % 10)).join('');
  const size = 33;
  const finder = (x: number, y: number) => {
    for (const [cx, cy] of [[0, 0], [size - 7, 0], [0, size - 7]] as const) {
      const dx = x - cx;
      const dy = y - cy;
      if (dx < -1 || dy < -1 || dx > 7 || dy > 7) continue;
      const ring = Math.max(Math.abs(dx - 3), Math.abs(dy - 3));
      return ring <= 1 || ring === 3;
    }
    return null;
  };
  let qr = '';
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (finder(x, y) ?? next() % 2 === 0) qr += `M${x} ${y}h1v1h-1z`;
    }
  }
  return { user, digits, qr, qrSize: size, verifiedAt };
}
