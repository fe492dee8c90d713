// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { Phone } from '../ipc/fake/phone';
import { fullWorld } from '../ipc/fake/worlds';
import type { Call, CallStats, PeerStats } from '../ipc/bindings';
import { Armed } from './armed';
import { callShieldOf } from './callshield';
import { arrange, gridFor, largeOf, places } from './layout';
import { readPicture } from './painter';
import { missing, pictured, tileOf, type Drawing } from './reason';
import { picture } from '../ipc/fake/pictures';
import { Speaking } from './speaking';
import { markOf, verdict } from './verdict';

function callOf(...users: string[]): { phone: Phone; call: Call } {
  const { phone } = fullWorld();
  return { phone, call: phone.run('kitchen', users, {}) };
}

const who = (call: Call, user: string) => call.participants.find((one) => one.user === user)!;

describe('what is said about a missing picture', () => {
  it('names the first thing that stands between', () => {
    const { phone, call } = callOf('bob');
    const check = (part: Parameters<Phone['turn']>[2], drawing: Drawing, expected: string | null) => {
      phone.put(call);
      phone.turn(call.id, 'bob', part);
      const now = phone.call(call.id);
      expect(missing(now, who(now, 'bob'), 'camera', drawing)).toBe(expected);
    };
    check({}, 'moving', null);
    check({}, 'nothing', 'waiting');
    check({}, 'stuck', 'stalled');
    check({}, 'unable', 'noDrawing');
    check({ media: { camera: false } }, 'nothing', 'cameraOff');
    check({ keyMissing: true }, 'nothing', 'keyMissing');
    check({ keyMissing: true, connection: { state: 'connecting' } }, 'nothing', 'connecting');
    check({ connection: { state: 'reconnecting', since: 1 } }, 'moving', 'reconnecting');
    check({ connection: { state: 'failed', why: 'certificate' }, media: { camera: false } }, 'moving', 'certificate');
  });

  it('says of oneself what is wrong with the device', () => {
    const { phone, call } = callOf('bob');
    phone.change(call.id, { troubles: [{ source: 'camera', why: 'busy' }] });
    const now = phone.call(call.id);
    expect(missing(now, who(now, 'alice'), 'camera', 'nothing')).toBe('busy');
    expect(missing(now, who(now, 'alice'), 'screen', 'moving')).toBe(null);
  });

  it('keeps the last picture while a connection is mended', () => {
    expect(['reconnecting', 'stalled', 'noPath', 'keyMissing'].map((one) => pictured(one as never))).toEqual([true, true, false, false]);
  });

  it('addresses tiles as Rust reads them', () => {
    const { call } = callOf('bob');
    expect(tileOf(who(call, 'alice'), 'camera')).toBe('own-camera');
    expect(tileOf(who(call, 'bob'), 'screen')).toBe('screen.bob.bob-1');
  });
});

describe('the layout', () => {
  it('shows the other large and oneself in a corner, where two talk', () => {
    const { call } = callOf('bob');
    const two = arrange(places(call), 'grid', null);
    expect(two.mode).toBe('grid');
    expect(two.inset?.key).toBe('own-camera');
    expect(two.mode === 'grid' && two.tiles.map((one) => one.key)).toEqual(['camera.bob.bob-1']);
  });

  it('puts everybody into the grid, oneself last', () => {
    const { call } = callOf('bob', 'dan');
    const all = arrange(places(call), 'grid', null);
    expect(all.mode === 'grid' && all.tiles.map((one) => one.who.user)).toEqual(['bob', 'dan', 'alice']);
    expect(all.inset).toBe(null);
  });

  it('makes a shared screen large without being asked', () => {
    const { phone, call } = callOf('bob', 'dan');
    phone.turn(call.id, 'dan', { media: { screen: 'text' } });
    const all = places(phone.call(call.id));
    const large = largeOf(all, null, 'camera.bob.bob-1');
    expect(large).toBe('screen.dan.dan-1');
    const shown = arrange(all, 'grid', large);
    expect(shown.mode === 'speaker' && shown.main.key).toBe('screen.dan.dan-1');
    expect(shown.mode === 'speaker' && shown.strip.length).toBe(3);
  });

  it('prefers who was chosen, then who speaks, then the first', () => {
    const { call } = callOf('bob', 'dan');
    const all = places(call);
    const main = (pinned: string | null, speaker: string | null) => {
      const shown = arrange(all, 'speaker', largeOf(all, pinned, speaker));
      return shown.mode === 'speaker' ? shown.main.key : '';
    };
    expect(main('own-camera', 'camera.dan.dan-1')).toBe('own-camera');
    expect(main('camera.gone.1', 'camera.dan.dan-1')).toBe('camera.dan.dan-1');
    expect(main(null, null)).toBe('camera.bob.bob-1');
  });

  it.each([
    [1, 1280, 640, 1, 1],
    [2, 1280, 640, 2, 1],
    [2, 480, 640, 1, 2],
    [4, 1280, 640, 2, 2],
    [5, 1280, 640, 3, 2],
    [6, 1280, 640, 3, 2],
    [6, 480, 640, 2, 3],
  ])('lays %i tiles on %i × %i in %i columns and %i rows', (count, width, height, columns, rows) => {
    expect(gridFor(count, width, height)).toEqual({ columns, rows });
  });
});

describe('the speaking ring', () => {
  const heard = (...users: string[]) => ({
    microphone: { loudness: 0, speaking: users.includes('me') },
    peers: users.filter((one) => one !== 'me').map((user) => ({ user, device: '1', level: { loudness: 50, speaking: true } })),
  });

  it('stays on between words and goes out after them', () => {
    const speaking = new Speaking();
    expect([...speaking.take(heard('bob'), 'me', 0)]).toEqual(['bob.1']);
    expect([...speaking.take(heard(), 'me', 600)]).toEqual(['bob.1']);
    expect([...speaking.take(heard(), 'me', 800)]).toEqual([]);
  });

  it('is on oneself too, who never becomes the large one', () => {
    const speaking = new Speaking();
    for (let at = 0; at < 5_000; at += 100) speaking.take(heard('me'), 'me', at);
    expect([...speaking.take(heard('me'), 'me', 5_000)]).toEqual(['me']);
    expect(speaking.speaker).toBe(null);
  });

  it('does not move the large picture for a short word', () => {
    const speaking = new Speaking();
    let at = 0;
    const speak = (ms: number, ...users: string[]) => {
      for (const end = at + ms; at < end; at += 100) speaking.take(heard(...users), 'me', at);
    };
    speak(3_000, 'bob');
    expect(speaking.speaker).toBe('bob.1');
    speak(800);
    speak(300, 'dan');
    expect(speaking.speaker).toBe('bob.1');
    speak(1_500, 'dan');
    expect(speaking.speaker).toBe('dan.1');
  });
});

describe('the verdict', () => {
  function judged(change: (phone: Phone, id: string) => void): string {
    const { phone, call } = callOf('bob', 'dan');
    change(phone, call.id);
    const answer = phone.commands().callStats?.() as { data: CallStats };
    const now = phone.call(call.id);
    const { what, value } = verdict(who(now, 'bob'), answer.data);
    return `${what} ${value}`;
  }
  const sound = (loss: number, jitterMs = 4): Partial<PeerStats> => ({
    sound: { bitrate: 28_000, loss, jitterMs, delayMs: 60, concealedMs: 0 },
  });

  it('is good until something can be heard or seen', () => {
    expect(judged(() => {})).toBe('good 0');
    expect(judged((phone) => phone.measured.set('bob', sound(20)))).toBe('good 0');
  });

  it('says whose network loses, and how much', () => {
    expect(judged((phone) => phone.measured.set('bob', sound(83)))).toBe('theirLoss 8');
    expect(
      judged((phone) => {
        phone.measured.set('bob', sound(83));
        phone.measured.set('dan', sound(60));
      }),
    ).toBe('ownLoss 8');
  });

  it('puts what is broken before what is slow', () => {
    const slow = { ...sound(0, 90), roundTripMs: 900 };
    expect(judged((phone) => phone.measured.set('bob', slow))).toBe('slow 900');
    expect(judged((phone) => phone.measured.set('bob', sound(0, 90)))).toBe('uneven 90');
    expect(
      judged((phone, id) => {
        phone.measured.set('bob', slow);
        phone.turn(id, 'bob', { keyMissing: true });
      }),
    ).toBe('key 0');
    expect(judged((phone, id) => phone.turn(id, 'bob', { connection: { state: 'failed', why: 'noPath' } }))).toBe('failed 0');
    const forged = { frames: { opened: 9, forged: 2, replayed: 0, malformed: 0, withoutKey: 0 } };
    expect(judged((phone) => phone.measured.set('bob', { ...slow, ...forged }))).toBe('forged 2');
  });

  it('marks a tile only where there is something to mark', () => {
    const marks = [
      { what: 'good', value: 0 },
      { what: 'measuring', value: 0 },
      { what: 'theirLoss', value: 4 },
      { what: 'theirLoss', value: 12 },
      { what: 'failed', value: 0 },
    ] as const;
    expect(marks.map(markOf)).toEqual(['good', 'good', 'fair', 'poor', 'poor']);
  });
});

describe('the shield of a call', () => {
  it('says the worst there is', () => {
    const { phone, call } = callOf('bob', 'dan');
    const state = () => callShieldOf(phone.call(call.id)).state;
    expect(state()).toBe('some');
    for (const user of ['bob', 'dan']) phone.turn(call.id, user, { verified: true });
    expect(state()).toBe('all');
    phone.turn(call.id, 'dan', { confirmed: false });
    expect(state()).toBe('opening');
    phone.turn(call.id, 'dan', { connection: { state: 'failed', why: 'certificate' } });
    expect(state()).toBe('broken');
  });
});

describe('the keys of a ringing call', () => {
  it('do nothing for somebody who is typing', () => {
    const armed = new Armed(0);
    expect(armed.press('h', 300)).toBe(null);
    expect(armed.press('Enter', 900)).toBe(null);
    expect(armed.press('Enter', 1_700)).toBe(null);
    expect(armed.press('Enter', 3_000)).toBe('accept');
    expect(armed.press('Escape', 3_100)).toBe('decline');
    expect(armed.press('x', 3_200)).toBe(null);
  });
});

describe('a picture', () => {
  it('is read from its header and planes', () => {
    const read = readPicture(picture('camera.bob.1', 64, 36, 7));
    expect(read && [read.number, read.width, read.height, read.planes.length]).toEqual([7, 64, 36, (64 * 36 * 3) / 2]);
  });

  it.each([
    ['nothing', new ArrayBuffer(0)],
    ['a header without planes', new ArrayBuffer(16)],
    ['planes cut short', picture('x', 64, 36, 1).slice(0, 999)],
  ])('is not read from %s', (_, bytes) => {
    expect(readPicture(bytes)).toBe(null);
  });
});

