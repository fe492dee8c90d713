/** How a call is doing with one person, in one word and a number, before any table. Pure. */
import type { CallStats, Participant, PeerStats } from '../ipc/bindings';

export type Verdict = {
  what: 'good' | 'theirLoss' | 'ownLoss' | 'slow' | 'uneven' | 'choppy' | 'forged' | 'key' | 'connecting' | 'reconnecting' | 'failed' | 'measuring';
  /** Percent or milliseconds or frames a second; 0 where none is said. */
  value: number;
};
export type Mark = 'good' | 'fair' | 'poor';

/** Thousandths of packets that can be heard and seen missing. */
const LOSS = 30;
const SLOW = 350;
const UNEVEN = 60;
const CHOPPY = 8;

export function verdict(who: Participant, stats: CallStats | null): Verdict {
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
  if (mine.frames.forged > 0) return { what: 'forged', value: mine.frames.forged };
  const loss = lossOf(mine);
  if (loss >= LOSS) {
    // Lossy with everybody: that is this end.
    const everybody = stats.peers.length > 1 && stats.peers.every((one) => lossOf(one) >= LOSS);
    return { what: everybody ? 'ownLoss' : 'theirLoss', value: Math.round(loss / 10) };
  }
  if ((mine.roundTripMs ?? 0) >= SLOW) return { what: 'slow', value: mine.roundTripMs ?? 0 };
  if (mine.sound.jitterMs >= UNEVEN) return { what: 'uneven', value: mine.sound.jitterMs };
  if (who.media.camera && mine.camera && mine.camera.fps > 0 && mine.camera.fps < CHOPPY) return { what: 'choppy', value: mine.camera.fps };
  return { what: 'good', value: 0 };
}

export function markOf({ what, value }: Verdict): Mark {
  if (what === 'good' || what === 'measuring') return 'good';
  if (what === 'theirLoss' || what === 'ownLoss') return value >= 8 ? 'poor' : 'fair';
  return what === 'slow' || what === 'uneven' || what === 'choppy' ? 'fair' : 'poor';
}

/** The worst of both directions. */
function lossOf(one: PeerStats): number {
  return Math.max(one.sound.loss, one.camera?.loss ?? 0, one.audioOut.loss);
}
