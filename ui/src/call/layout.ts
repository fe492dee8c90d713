/** Where tiles go: who is large, and how a grid fits. Pure. */
import type { Call, Participant } from '../ipc/bindings';
import { tileOf, type TileSource } from './reason';

export type Place = { key: string; who: Participant; source: TileSource };
export type Mode = 'grid' | 'speaker';
export type Arrangement =
  | { mode: 'grid'; tiles: Place[]; /** Oneself in a corner, where two are in the call. */ inset: Place | null }
  | { mode: 'speaker'; main: Place; strip: Place[]; inset: Place | null };

/** Every tile there is: screens first, then people, oneself last. */
export function places(call: Call): Place[] {
  const place = (who: Participant, source: TileSource): Place => ({ key: tileOf(who, source), who, source });
  const people = [...call.participants.filter((who) => !who.me), ...call.participants.filter((who) => who.me)];
  const screens = people.filter((who) => who.media.screen !== null && !who.me);
  return [...screens.map((who) => place(who, 'screen')), ...people.map((who) => place(who, 'camera'))];
}

export function arrange(all: Place[], mode: Mode, large: string | null): Arrangement {
  const others = all.filter((one) => !one.who.me);
  const own = all.find((one) => one.who.me) ?? null;
  if (mode === 'speaker' || (others.length > 0 && others[0]!.source === 'screen' && large !== null)) {
    const main = all.find((one) => one.key === large) ?? others[0] ?? own;
    if (main) {
      const strip = all.filter((one) => one !== main);
      // Alone with one other, a strip for oneself would be a waste of a row.
      const [only] = strip;
      if (strip.length === 1 && only?.who.me) return { mode: 'speaker', main, strip: [], inset: only };
      return { mode: 'speaker', main, strip, inset: null };
    }
  }
  if (others.length === 1) return { mode: 'grid', tiles: others, inset: own };
  return { mode: 'grid', tiles: all, inset: null };
}

export type Grid = { columns: number; rows: number };

/** The grid whose tiles, in the shape of a camera, are largest. */
export function gridFor(count: number, width: number, height: number, gap = 8): Grid {
  const SHAPE = 16 / 9;
  let best: Grid = { columns: 1, rows: Math.max(1, count) };
  let area = -1;
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const w = (width - gap * (columns - 1)) / columns;
    const h = (height - gap * (rows - 1)) / rows;
    if (w <= 0 || h <= 0) continue;
    const shown = Math.min(w, h * SHAPE);
    // Equally large pictures: the one that leaves no empty places.
    const score = shown - (columns * rows - count) * 0.5;
    if (score > area) {
      area = score;
      best = { columns, rows };
    }
  }
  return best;
}

/** Initial layout: a shared screen is looked at, everybody else is equal. */
export function largeOf(all: Place[], pinned: string | null, speaker: string | null): string | null {
  if (pinned !== null && all.some((one) => one.key === pinned)) return pinned;
  const screen = all.find((one) => one.source === 'screen');
  if (screen) return screen.key;
  return all.find((one) => one.key === speaker)?.key ?? null;
}
