/** Why somebody's picture or sound is not there, as one closed word. Pure; the catalogs make the sentence. */
import type { Call, Failure, Participant, SourceTrouble } from '../ipc/bindings';

export type Missing =
  | 'connecting'
  | 'reconnecting'
  | Failure
  | 'keyMissing'
  | 'cameraOff'
  /** It should be here any moment. */
  | 'waiting'
  /** It was here and does not move any more. */
  | 'stalled'
  | SourceTrouble
  /** This system cannot draw it. */
  | 'noDrawing';

export type TileSource = 'camera' | 'screen';
/** How the tile itself stands: nothing drawn yet, moving, stuck, or unable to draw. */
export type Drawing = 'nothing' | 'moving' | 'stuck' | 'unable';

export function missing(call: Call, who: Participant, source: TileSource, drawing: Drawing): Missing | null {
  if (who.me) {
    const trouble = call.troubles.find((one) => one.source === source);
    if (trouble) return trouble.why;
  } else {
    const { connection } = who;
    if (connection.state === 'failed') return connection.why;
    if (connection.state === 'reconnecting') return 'reconnecting';
    if (connection.state !== 'connected') return 'connecting';
    if (who.keyMissing) return 'keyMissing';
  }
  if (source === 'camera' && !who.media.camera) return 'cameraOff';
  if (drawing === 'unable') return 'noDrawing';
  if (drawing === 'nothing') return 'waiting';
  // A screen may well stand still.
  return drawing === 'stuck' && source === 'camera' && !who.me ? 'stalled' : null;
}

/** Whether the tile shows a picture at all; a last picture stays while it is mended. */
export function pictured(reason: Missing | null): boolean {
  return reason === null || reason === 'stalled' || reason === 'reconnecting';
}

/** The address of a tile, as Rust reads it. */
export function tileOf(who: Participant, source: TileSource): string {
  return who.me ? `own-${source}` : `${source}.${who.user}.${who.device}`;
}
