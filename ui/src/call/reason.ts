/** Why somebody's picture or sound is not there, as one closed word. Pure; the catalogs make the sentence. */
import type { Call, Failure, Participant, SourceTrouble } from '../ipc/bindings';
import type { Verdict } from './verdict';

export type Missing =
  | 'connecting'
  | 'reconnecting'
  | Failure
  | 'keyMissing'
  | 'cameraOff'
  /** It should be here any moment. */
  | 'waiting'
  /** It was here and does not move any more: for a reason that shows in the numbers, theirs or ours, or for none. */
  | 'weak'
  | 'weakHere'
  | 'stalled'
  | SourceTrouble
  /** This system cannot draw it. */
  | 'noDrawing';

export type TileSource = 'camera' | 'screen';
/** How the tile itself stands: nothing drawn yet, moving, stuck, or unable to draw. */
export type Drawing = 'nothing' | 'moving' | 'stuck' | 'unable';

export function missing(call: Call, who: Participant, source: TileSource, drawing: Drawing, judged: Verdict | null = null): Missing | null {
  if (who.me) {
    const trouble = call.troubles.find((one) => one.source === source);
    if (trouble) return trouble.why;
  } else {
    const { connection } = who;
    if (connection.state === 'failed') return connection.why;
    if (connection.state === 'reconnecting') return 'reconnecting';
    if (connection.state !== 'connected') return 'connecting';
    if (who.keyMissing) return 'keyMissing';
    const trouble = who.media.troubles[source];
    if (trouble) return trouble;
  }
  if (source === 'camera' && !who.media.camera) return 'cameraOff';
  if (drawing === 'unable') return 'noDrawing';
  if (drawing === 'nothing') return 'waiting';
  // A screen may well stand still.
  return drawing === 'stuck' && source === 'camera' && !who.me ? stuck(judged) : null;
}

/** Why a picture stands, as far as the numbers tell. */
function stuck(judged: Verdict | null): Missing {
  switch (judged?.what) {
    case 'ownLoss':
      return 'weakHere';
    case 'loss':
    case 'theirLoss':
    case 'slow':
    case 'uneven':
      return 'weak';
    default:
      return 'stalled';
  }
}

/** Why somebody who wants to be heard is not. */
export function silenced(call: Call, who: Participant): SourceTrouble | null {
  if (who.me) return call.troubles.find((one) => one.source === 'microphone' && who.media.microphone)?.why ?? null;
  return who.connection.state === 'connected' && !who.keyMissing ? who.media.troubles.microphone : null;
}

/** Whether the tile shows a picture at all; a last picture stays while it is mended. */
export function pictured(reason: Missing | null): boolean {
  return reason === null || reason === 'stalled' || reason === 'weak' || reason === 'weakHere' || reason === 'reconnecting';
}

/** The address of a tile, as Rust reads it. */
export function tileOf(who: Participant, source: TileSource): string {
  return who.me ? `own-${source}` : `${source}.${who.user}.${who.device}`;
}
