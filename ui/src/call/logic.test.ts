// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { Phone, WELL } from '../ipc/fake/phone';
import { fullWorld } from '../ipc/fake/worlds';
import type { Call, CallStats, PeerStats, Setup } from '../ipc/bindings';
import { Armed } from './armed';
import { callShieldOf, mendable } from './callshield';
import { Lately } from './lately';
import { arrange, gridFor, largeOf, places } from './layout';
import { readPicture } from './painter';
import { missing, pictured, silenced, tileOf, type Drawing } from './reason';
import { picture } from '../ipc/fake/pictures';
import { Speaking } from './speaking';
import { stepsOf } from './steps';
import { markOf, verdict, type Verdict } from './verdict';

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

  it('says why a picture stands only as far as the numbers tell', () => {
    const { call } = callOf('bob');
    const bob = who(call, 'bob');
    const stuck = (what: Verdict['what']) => missing(call, bob, 'camera', 'stuck', { what, value: 9 });
    expect(stuck('loss')).toBe('weak');
    expect(stuck('theirLoss')).toBe('weak');
    expect(stuck('slow')).toBe('weak');
    expect(stuck('ownLoss')).toBe('weakHere');
    expect(stuck('still')).toBe('stalled');
    expect(stuck('good')).toBe('stalled');
  });

  it('says what is wrong with the devices of others', () => {
    const { phone, call } = callOf('bob');
    const troubles = { microphone: 'vanished', camera: 'refused', screen: 'broken' } as const;
    phone.turn(call.id, 'bob', { media: { screen: 'text', troubles } });
    const now = phone.call(call.id);
    expect(missing(now, who(now, 'bob'), 'camera', 'nothing')).toBe('refused');
    expect(missing(now, who(now, 'bob'), 'screen', 'nothing')).toBe('broken');
    expect(silenced(now, who(now, 'bob'))).toBe('vanished');
    phone.turn(call.id, 'bob', { keyMissing: true });
    const later = phone.call(call.id);
    expect(missing(later, who(later, 'bob'), 'camera', 'nothing')).toBe('keyMissing');
    expect(silenced(later, who(later, 'bob'))).toBe(null);
  });

  it('says of oneself what is wrong with the device', () => {
    const { phone, call } = callOf('bob');
    phone.change(call.id, { troubles: [{ source: 'camera', why: 'busy' }] });
    const now = phone.call(call.id);
    expect(missing(now, who(now, 'alice'), 'camera', 'nothing')).toBe('busy');
    expect(missing(now, who(now, 'alice'), 'screen', 'moving')).toBe(null);
    expect(silenced(now, who(now, 'alice'))).toBe(null);
    phone.change(call.id, { troubles: [{ source: 'microphone', why: 'busy' }] });
    const heard = phone.call(call.id);
    expect(silenced(heard, who(heard, 'alice'))).toBe('busy');
    phone.turn(call.id, 'alice', { media: { microphone: false } });
    const muted = phone.call(call.id);
    expect(silenced(muted, who(muted, 'alice'))).toBe(null);
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
    troubles: [],
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

describe('the way of the packets', () => {
  it('is measured as the call says that it is', () => {
    const { phone, call } = callOf('bob', 'dan');
    for (const [route, path] of [['direct', 'direct'], ['exposed', 'direct'], ['relayed', 'relayed']] as const) {
      phone.change(call.id, { route });
      const { data } = phone.commands().callStats?.() as { data: CallStats };
      expect(data.peers.map((one) => one.path)).toEqual([path, path]);
    }
  });
});

describe('the verdict', () => {
  /** What is said of Bob. */
  function judged(change: (phone: Phone, id: string) => void, others: string[] = ['dan'], forged = 0): string {
    const { phone, call } = callOf('bob', ...others);
    change(phone, call.id);
    const answer = phone.commands().callStats?.() as { data: CallStats };
    const now = phone.call(call.id);
    const { what, value } = verdict(who(now, 'bob'), answer.data, { forged });
    return `${what} ${value}`;
  }
  const sound = (loss: number, jitterMs = 4): Partial<PeerStats> => ({
    sound: { bitrate: 28_000, loss, jitterMs, delayMs: 60, concealedMs: 0 },
  });
  /** What they report of ours. */
  const ours = (loss: number): Partial<PeerStats> => ({ audioOut: { bitrate: 30_000, loss } });
  const losing = (all: Record<string, Partial<PeerStats>>) => (phone: Phone) => {
    for (const [user, part] of Object.entries(all)) phone.measured.set(user, part);
  };

  it('is good until something can be heard or seen', () => {
    expect(judged(() => {})).toBe('good 0');
    expect(judged(losing({ bob: sound(20) }))).toBe('good 0');
  });

  it('blames neither of two: one cannot know where a packet went', () => {
    expect(judged(losing({ bob: sound(83) }), [])).toBe('loss 8');
    expect(judged(losing({ bob: ours(83) }), [])).toBe('loss 8');
    expect(judged(losing({ bob: { ...sound(83), ...ours(120) } }), [])).toBe('loss 12');
  });

  it('says whose network loses where others in the call show it', () => {
    expect(judged(losing({ bob: sound(83) }))).toBe('theirLoss 8');
    expect(judged(losing({ bob: ours(83) }))).toBe('theirLoss 8');
    expect(judged(losing({ bob: sound(83), dan: sound(60) }))).toBe('ownLoss 8');
    expect(judged(losing({ bob: ours(83), dan: ours(60) }))).toBe('ownLoss 8');
    // Dan, too, loses; but Erin hears both of us well.
    expect(judged(losing({ bob: ours(83), dan: ours(60) }), ['dan', 'erin'])).toBe('theirLoss 8');
  });

  it('judges each direction by itself, and says the worse', () => {
    expect(judged(losing({ bob: sound(83), dan: ours(60) }))).toBe('theirLoss 8');
    const both = { bob: { ...sound(83), ...ours(120) }, dan: ours(60) };
    expect(judged(losing(both))).toBe('ownLoss 12');
  });

  it('takes no word from who sends nothing', () => {
    const silent = { ...sound(0), sound: { ...sound(0).sound!, bitrate: 0 }, camera: null };
    expect(judged(losing({ bob: sound(83), dan: silent }))).toBe('loss 8');
    // What was reported last may be long ago.
    expect(judged(losing({ bob: { audioOut: { bitrate: 0, loss: 400 } } }))).toBe('good 0');
    expect(judged(losing({ bob: { cameraOut: { bitrate: 900_000, loss: 90 } } }))).toBe('theirLoss 9');
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
    expect(judged((phone) => phone.measured.set('bob', slow), ['dan'], 2)).toBe('forged 2');
  });

  it('does not go on about a forged frame of long ago', () => {
    const frames = { opened: 9, forged: 2, replayed: 0, malformed: 0, withoutKey: 0 };
    expect(judged(losing({ bob: { frames } }))).toBe('good 0');
    expect(judged(losing({ bob: { ...sound(83), frames } }), [])).toBe('loss 8');
  });

  it('does not call a picture good that stands still', () => {
    const still = { camera: { width: 1280, height: 720, fps: 0, bitrate: 0, loss: 0, freezes: 1, frozenMs: 4_000 } };
    const of = (drawing: Drawing | null, change: (phone: Phone, id: string) => void = () => {}) => {
      const { phone, call } = callOf('bob', 'dan');
      phone.measured.set('bob', still);
      change(phone, call.id);
      const answer = phone.commands().callStats?.() as { data: CallStats };
      return verdict(who(phone.call(call.id), 'bob'), answer.data, { drawing }).what;
    };
    expect(of(null)).toBe('still');
    expect(of('stuck')).toBe('still');
    // The number is older than what is seen.
    expect(of('moving')).toBe('good');
    expect(of('nothing')).toBe('good');
    expect(of(null, (phone, id) => phone.turn(id, 'bob', { media: { camera: false } }))).toBe('good');
    expect(of(null, (phone, id) => phone.turn(id, 'bob', { media: { troubles: { ...WELL, camera: 'busy' } } }))).toBe('good');
    expect(markOf({ what: 'still', value: 0 })).toBe('poor');
  });

  it('marks a tile only where there is something to mark', () => {
    const marks = [
      { what: 'good', value: 0 },
      { what: 'measuring', value: 0 },
      { what: 'theirLoss', value: 4 },
      { what: 'theirLoss', value: 12 },
      { what: 'loss', value: 12 },
      { what: 'failed', value: 0 },
    ] as const;
    expect(marks.map(markOf)).toEqual(['good', 'good', 'fair', 'poor', 'poor', 'poor']);
  });
});

describe('the steps to a connection', () => {
  const none: Setup = { describedMs: null, answeredMs: null, iceMs: null, dtlsMs: null, firstSoundMs: null, firstPictureMs: null };
  const order = (part: Partial<Setup>) => stepsOf({ ...none, ...part }).map(([step, ms]) => `${step} ${ms}`);

  it('are told in order, as far as they came', () => {
    expect(order({})).toEqual([]);
    expect(order({ describedMs: 4, answeredMs: 31, iceMs: 52, dtlsMs: 74 })).toEqual(['offer 4', 'answer 31', 'ice 52', 'dtls 74']);
    expect(order({ describedMs: 4 })).toEqual(['offer 4']);
    expect(order({ dtlsMs: 74, firstSoundMs: 131, firstPictureMs: 96 })).toEqual(['dtls 74', 'sound 131', 'picture 96']);
  });

  it('name the offer at the end that answers, too', () => {
    // Theirs came first, then our own answer.
    expect(order({ answeredMs: 12, describedMs: 15 })).toEqual(['offer 12', 'answer 15']);
    expect(order({ answeredMs: 12 })).toEqual(['offer 12']);
  });
});

describe('a count that only grows', () => {
  const counts = (bob: number) => new Map([['bob-1', bob]]);

  it('is told as far as it is new', () => {
    const lately = new Lately();
    const take = (bob: number, at: number) => lately.take(counts(bob), at).get('bob-1');
    // From before anybody looked.
    expect(take(5, 0)).toBe(0);
    expect(take(6, 2_000)).toBe(1);
    expect(take(8, 4_000)).toBe(3);
    expect(take(8, 11_000)).toBe(2);
    expect(take(8, 15_000)).toBe(0);
    // Nobody looked for a while, and it is not known when these came.
    expect(take(20, 60_000)).toBe(0);
    // A new connection counts from nothing.
    expect(take(1, 62_000)).toBe(0);
  });

  it('is all new of who was not there a moment ago', () => {
    const lately = new Lately();
    lately.take(new Map(), 0);
    expect(lately.take(counts(3), 2_000).get('bob-1')).toBe(3);
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

describe('a repair', () => {
  it('is offered where it may help', () => {
    const { phone, call } = callOf('bob');
    const check = (part: Parameters<Phone['turn']>[2], what: Verdict['what'], expected: boolean) => {
      phone.put(call);
      phone.turn(call.id, 'bob', part);
      expect(mendable(who(phone.call(call.id), 'bob'), { what, value: 9 })).toBe(expected);
    };
    check({}, 'good', false);
    check({}, 'measuring', false);
    check({}, 'theirLoss', true);
    check({}, 'still', true);
    check({ keyMissing: true }, 'key', true);
    check({ connection: { state: 'connecting' } }, 'connecting', false);
    check({ connection: { state: 'reconnecting', since: 1 } }, 'reconnecting', true);
    check({ connection: { state: 'failed', why: 'noPath' } }, 'failed', true);
    check({ connection: { state: 'failed', why: 'silent' } }, 'failed', true);
    for (const why of ['certificate', 'version', 'description', 'ownDescription'] as const)
      check({ connection: { state: 'failed', why } }, 'failed', false);
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

