/** Calls of the world in memory: they ring, run and end as a scene or a test wants it. */
import type {
  Call,
  CallStats,
  Device,
  Devices,
  DeviceKind,
  Levels,
  Media,
  Participant,
  PeerStats,
  Phase,
  Route,
  Sending,
  StreamOut,
  Troubles,
} from '../bindings';
import type { Answer, Ipc } from '../client';
import { newId } from '../../state/ids';
import { picture } from './pictures';
import type { World } from './world';

const device = (kind: DeviceKind, name: string, label: string, part: Partial<Device> = {}): Device => ({
  name,
  kind,
  label,
  default: false,
  synthetic: false,
  ...part,
});

const DEVICES: Device[] = [
  device('microphone', 'desk', 'Desk microphone', { default: true }),
  device('microphone', 'headset', 'Headset'),
  device('microphone', 'tone:440', 'Test tone', { synthetic: true }),
  device('speaker', 'boxes', 'Loudspeakers', { default: true }),
  device('speaker', 'headset', 'Headset'),
  device('camera', 'lid', 'Integrated camera', { default: true }),
  device('camera', 'pattern', 'Test picture', { synthetic: true }),
  device('screen', 'screen:1', 'Whole screen', { default: true }),
  device('screen', 'window:7', 'Site plan, second sheet: drawing program'),
  device('screen', 'window:9', 'Terminal'),
];

export const WELL: Troubles = { microphone: null, camera: null, screen: null };
export const SILENT: Media = { microphone: false, camera: false, screen: null, hand: null, troubles: WELL };
type Name = keyof Ipc;
type Part = { [K in Name]?: (...args: Parameters<Ipc[K]>) => Awaited<ReturnType<Ipc[K]>> };

export class Phone {
  calls = new Map<string, Call>();
  devices: Devices = {
    known: true,
    devices: DEVICES,
    choices: { microphone: null, speaker: null, ringer: null, camera: null, screen: null },
    processing: { echo: true, noise: true, gain: true },
  };
  /** What does not open of what is tried before a call. */
  troubles: Levels['troubles'] = [];
  /** Who is loud now, by user; `me` too. */
  loud = new Set<string>();
  /** Measured with these people; the others are fine. */
  measured = new Map<string, Partial<PeerStats>>();
  /** Tiles that send no picture. */
  dark = new Set<string>();
  /** The relay can relay calls. */
  relays = true;
  /** Every tile that was asked for, for tests. */
  pulled: string[] = [];
  now: () => number = () => performance.now();

  constructor(private readonly world: World) {}

  /** Somebody calls. */
  ring(room: string, from: string, video: boolean): Call {
    const now = Date.now();
    return this.put({
      id: newId(),
      room,
      video,
      by: from,
      byVerified: this.#verified(from),
      started: now,
      phase: { phase: 'ringing', until: now + 60_000 },
      participants: [this.participant(room, from, { ...SILENT, microphone: true, camera: video })],
      own: SILENT,
      troubles: [],
      route: this.#route(room),
      busy: [],
      epoch: this.world.place(room).room.epoch,
      keyGeneration: 0,
    });
  }

  /** A call that goes on, with or without oneself. */
  run(room: string, users: string[], mine: Partial<Media> | null, video = true): Call {
    const me = this.world.me.user;
    const own = { ...SILENT, microphone: true, camera: video, ...mine };
    const others = users.map((user) => this.participant(room, user, { ...SILENT, microphone: true, camera: video }));
    const oneself = this.participant(room, me, own);
    return this.put({
      id: newId(),
      room,
      video,
      by: users[0] ?? me,
      byVerified: this.#verified(users[0] ?? me),
      started: Date.now() - 761_000,
      phase: { phase: mine ? 'joined' : 'running' },
      participants: mine ? [oneself, ...others] : others,
      own: mine ? own : SILENT,
      troubles: [],
      route: this.#route(room),
      busy: [],
      epoch: this.world.place(room).room.epoch,
      keyGeneration: users.length + 1,
    });
  }

  put(call: Call): Call {
    this.calls.set(call.id, call);
    this.world.emit({ type: 'call', call });
    return call;
  }

  change(id: string, part: Partial<Call>): void {
    this.put({ ...this.call(id), ...part });
  }

  call(id: string): Call {
    const call = this.calls.get(id);
    if (!call) throw new Error(`no call ${id}`);
    return call;
  }

  /** Changes what one participant shows. */
  turn(id: string, user: string, part: Partial<Omit<Participant, 'media'>> & { media?: Partial<Media> }): void {
    const call = this.call(id);
    const turned = (one: Participant): Participant => ({ ...one, ...part, media: { ...one.media, ...part.media } });
    const participants = call.participants.map((one) => (one.user === user ? turned(one) : one));
    const own = user === this.world.me.user ? { ...call.own, ...part.media } : call.own;
    this.put({ ...call, participants, own });
  }

  /** Somebody comes in. */
  come(id: string, user: string): void {
    const call = this.call(id);
    const who = this.participant(call.room, user, { ...SILENT, microphone: true, camera: call.video });
    const phase: Phase = call.phase.phase === 'calling' ? { phase: 'joined' } : call.phase;
    this.put({ ...call, phase, participants: [...call.participants, who], keyGeneration: call.keyGeneration + 1 });
  }

  go(id: string, user: string): void {
    const call = this.call(id);
    this.put({ ...call, participants: call.participants.filter((one) => one.user !== user), keyGeneration: call.keyGeneration + 1 });
  }

  end(id: string, phase: Extract<Phase, { phase: 'over' }>['why']): void {
    const call = { ...this.call(id), phase: { phase: 'over', why: phase } as Phase, participants: [] };
    this.put(call);
    this.calls.delete(id);
    this.world.emit({ type: 'callGone', call: id });
  }

  participant(room: string, user: string, media: Media): Participant {
    const me = user === this.world.me.user;
    const person = this.world.place(room).people.find((one) => one.user === user);
    return {
      user,
      device: me ? this.world.me.device : `${user}-1`,
      me,
      verified: (person?.verifiedAt ?? null) !== null,
      connection: me ? { state: 'none' } : { state: 'connected' },
      media,
      keyMissing: false,
      confirmed: !me,
    };
  }

  commands(): Part {
    const ok: Answer<null> = { status: 'ok', data: null };
    const hidden: Answer<never> = { status: 'error', error: { code: 'noRelayedPath', max: null, link: null } };
    const gone: Answer<never> = { status: 'error', error: { code: 'callOver', max: null, link: null } };
    const known = (id: string, then: (call: Call) => void): Answer<null> => {
      const call = this.calls.get(id);
      if (!call) return gone;
      then(call);
      return ok;
    };
    const choose = (part: Partial<Devices>): Answer<null> => {
      this.devices = { ...this.devices, ...part };
      this.world.emit({ type: 'devices', devices: this.devices });
      return ok;
    };
    return {
      startCall: (room, video, sending) => {
        if (this.world.settings.hideAddress && !this.relays) return hidden;
        const now = Date.now();
        const own = { ...SILENT, ...sending };
        const me = this.participant(room, this.world.me.user, own);
        this.put({
          id: newId(),
          room,
          video,
          by: this.world.me.user,
          byVerified: true,
          started: now,
          phase: { phase: 'calling', until: now + 60_000 },
          participants: [me],
          own,
          troubles: [],
          route: this.#route(room),
          busy: [],
          epoch: this.world.place(room).room.epoch,
          keyGeneration: 1,
        });
        return ok;
      },
      joinCall: (_room, id, sending) =>
        known(id, (call) => {
          const own = { ...SILENT, ...sending };
          const me = this.participant(call.room, this.world.me.user, own);
          const participants = [me, ...call.participants.filter((one) => !one.me)];
          this.put({ ...call, own, participants, phase: { phase: 'joined' }, keyGeneration: 1 });
        }),
      declineCall: (_room, id) => known(id, () => this.end(id, 'declined')),
      leaveCall: (_room, id) => (this.calls.has(id) ? known(id, () => this.end(id, 'ended')) : ok),
      setSending: (id, sending) => known(id, () => this.#send(id, sending)),
      repairCall: (id, user) =>
        known(id, (call) => {
          this.turn(id, user, { connection: { state: 'connected' }, keyMissing: false });
          this.change(id, { keyGeneration: call.keyGeneration + 1 });
        }),
      raiseHand: (id, up) => known(id, () => this.turn(id, this.world.me.user, { media: { hand: up ? Date.now() : null } })),
      react: (id, emoji) => known(id, () => this.world.emit({ type: 'reaction', call: id, user: this.world.me.user, emoji })),
      devices: () => ({ status: 'ok', data: this.devices }),
      chooseDevice: (kind, name) => choose({ choices: { ...this.devices.choices, [kind]: name } }),
      chooseDeviceFile: (kind) => {
        const made = device(kind as DeviceKind, 'file:', 'song.wav', { synthetic: true });
        this.devices = { ...this.devices, devices: [...this.devices.devices.filter((one) => one.name !== 'file:'), made] };
        choose({ choices: { ...this.devices.choices, [kind]: 'file:' } });
        return { status: 'ok', data: true };
      },
      setProcessing: (processing) => choose({ processing }),
      setVolume: () => ok,
      preview: () => ok,
      testSpeaker: () => ok,
      levels: () => ({ status: 'ok', data: this.#levels() }),
      callStats: () => ({ status: 'ok', data: this.#stats() }),
      copyCallStats: () => ok,
      showTiles: () => ok,
      tile: (tile, width, height, after) => {
        this.pulled.push(tile);
        const number = 1 + Math.floor(this.now() / 40);
        return number > after && !this.dark.has(tile) ? picture(tile, Math.min(width, 640), Math.min(height, 360), number) : null;
      },
    };
  }

  #send(id: string, sending: Sending): void {
    this.turn(id, this.world.me.user, { media: sending });
  }

  #levels() {
    const wave = (user: string) => (this.loud.has(user) ? 45 + Math.round(20 * Math.sin(this.now() / 90)) : 4);
    const own = [...this.calls.values()].find((call) => call.phase.phase === 'joined');
    return {
      microphone: { loudness: wave('me'), speaking: this.loud.has('me') },
      peers: (own?.participants ?? [])
        .filter((one) => !one.me)
        .map(({ user, device }) => ({ user, device, level: { loudness: wave(user), speaking: this.loud.has(user) } })),
      troubles: own ? [] : this.troubles,
    };
  }

  #stats(): CallStats {
    const own = [...this.calls.values()].find((call) => call.phase.phase === 'joined');
    const out = (bitrate: number): StreamOut => ({ bitrate, loss: 0 });
    const peers = (own?.participants ?? [])
      .filter((one) => !one.me && one.connection.state === 'connected')
      .map(({ user, device, media }): PeerStats => ({
        user,
        device,
        path: own?.route === 'relayed' ? 'relayed' : 'direct',
        roundTripMs: 23,
        estimate: 2_400_000,
        sound: { bitrate: 28_000, loss: 2, jitterMs: 4, delayMs: 62, concealedMs: 40 },
        camera: media.camera ? { width: 1280, height: 720, fps: 30, bitrate: 1_350_000, loss: 1, freezes: 0, frozenMs: 0 } : null,
        screen: media.screen ? { width: 1920, height: 1080, fps: 5, bitrate: 640_000, loss: 0, freezes: 0, frozenMs: 0 } : null,
        audioOut: out(30_000),
        cameraOut: out(1_100_000),
        screenOut: out(0),
        frames: { opened: 61_204, forged: 0, replayed: 0, malformed: 0, withoutKey: 3 },
        setup: { describedMs: 4, answeredMs: 31, iceMs: 52, dtlsMs: 74, firstSoundMs: 96, firstPictureMs: 131 },
        ...this.measured.get(user),
      }));
    const camera = own?.own.camera ? { width: 1280, height: 720, fps: 30, bitrate: 1_300_000, paused: false } : null;
    return { ageMs: 761_000, audioBitrate: 30_000, camera, screen: null, peers };
  }

  /** As Rust decides it: hidden from strangers, where the relay can. */
  #route(room: string): Route {
    const { unverified } = this.world.place(room).room;
    if (this.world.settings.hideAddress || (unverified > 0 && this.relays)) return 'relayed';
    return unverified > 0 ? 'exposed' : 'direct';
  }

  #verified(user: string): boolean {
    return this.world.verifiedAt(user) !== null;
  }
}
