/** How a call is doing with one person, in one word and a number, before any table. Pure. */
import type { CallStats, Participant, PeerStats } from '../ipc/bindings';
import type { Drawing } from './reason';

export type Verdict = {
  what: 'good' | 'loss' | 'theirLoss' | 'ownLoss' | 'slow' | 'uneven' | 'choppy' | 'still' | 'forged' | 'key' | 'connecting' | 'reconnecting' | 'failed' | 'measuring';
  /** Percent or milliseconds or frames a second; 0 where none is said. */
  value: number;
};
export type Mark = 'good' | 'fair' | 'poor';
/** What is known beside the numbers of now. */
export type Seen = {
  /** How the picture looks here, where it is looked at; that is newer than any number. */
  drawing?: Drawing | null;
  /** Frames that were not authentic, lately: one of long ago must not hide what is wrong now. */
  forged?: number;
};

/** Thousandths of packets that can be heard and seen missing. */
const LOSS = 30;
const SLOW = 350;
const UNEVEN = 60;
const CHOPPY = 8;

export function verdict(who: Participant, stats: CallStats | null, { drawing = null, forged = 0 }: Seen = {}): Verdict {
  switch (who.connection.state) {
    case 'failed':
      return { what: 'failed', value: 0 };
    case 'reconnecting':
      return { what: 'reconnecting', value: 0 };
    case 'none':
    case 'connecting':
      return { what: 'connecting', value: 0 };
    case 'connected':
      break;
  }
  if (who.keyMissing) return { what: 'key', value: 0 };
  const mine = stats?.peers.find((one) => one.user === who.user && one.device === who.device);
  if (!stats || !mine) return { what: 'measuring', value: 0 };
  if (forged > 0) return { what: 'forged', value: forged };
  const lost = loss(mine, stats.peers);
  if (lost) return lost;
  if ((mine.roundTripMs ?? 0) >= SLOW) return { what: 'slow', value: mine.roundTripMs ?? 0 };
  if (mine.sound.jitterMs >= UNEVEN) return { what: 'uneven', value: mine.sound.jitterMs };
  if (who.media.camera && !who.media.troubles.camera && mine.camera) {
    const { fps } = mine.camera;
    const stands = drawing === null ? mine.setup.firstPictureMs !== null : drawing === 'stuck';
    if (fps === 0 && stands) return { what: 'still', value: 0 };
    if (fps > 0 && fps < CHOPPY) return { what: 'choppy', value: fps };
  }
  return { what: 'good', value: 0 };
}

export function markOf({ what, value }: Verdict): Mark {
  if (what === 'good' || what === 'measuring') return 'good';
  if (what === 'loss' || what === 'theirLoss' || what === 'ownLoss') return value >= 8 ? 'poor' : 'fair';
  return what === 'slow' || what === 'uneven' || what === 'choppy' ? 'fair' : 'poor';
}

type Stream = { bitrate: number; loss: number } | null;
const arriving = ({ sound, camera, screen }: PeerStats) => worst([sound, camera, screen]);
/** As they report it. */
const leaving = ({ audioOut, cameraOut, screenOut }: PeerStats) => worst([audioOut, cameraOut, screenOut]);

/** The worse of the two directions. */
function loss(mine: PeerStats, peers: PeerStats[]): Verdict | null {
  const others = peers.filter((one) => one !== mine);
  const [one, other] = [arriving, leaving].map((way) => blame(way(mine), others.map(way)));
  return one && other ? (other.value > one.value ? other : one) : (one ?? other ?? null);
}

/** Where packets are lost between two shows only beside others: with all of them it is this end, else that one. */
function blame(lost: number | null, elsewhere: (number | null)[]): Verdict | null {
  if (lost === null || lost < LOSS) return null;
  const known = elsewhere.filter((one) => one !== null);
  const what = known.length === 0 ? 'loss' : known.every((one) => one >= LOSS) ? 'ownLoss' : 'theirLoss';
  return { what, value: Math.round(lost / 10) };
}

/** Nothing is known of streams that do not flow: what was counted last may be long ago. */
function worst(streams: Stream[]): number | null {
  const flowing = streams.filter((one) => one !== null && one.bitrate > 0).map((one) => one!.loss);
  return flowing.length === 0 ? null : Math.max(...flowing);
}
