/** What is on screen, told to Rust: what nobody shows is not encoded at the other end. */
import type { ShownTile } from '../ipc/bindings';

/** Sizes change in bursts while a window is dragged. */
const WAIT = 120;
/** Sizes are told in steps, so that a pixel more is no news. */
const STEP = 16;

export class Shown {
  #tiles = new Map<symbol, ShownTile>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #told = '[]';

  constructor(private readonly tell: (tiles: ShownTile[]) => void) {}

  put(by: symbol, tile: ShownTile | null): void {
    if (tile) this.#tiles.set(by, { ...tile, width: step(tile.width), height: step(tile.height) });
    else this.#tiles.delete(by);
    this.#timer ??= setTimeout(() => this.#say(), WAIT);
  }

  /** What was told is not known any more: it is told once more. */
  again(): void {
    this.#told = '[]';
    this.#timer ??= setTimeout(() => this.#say(), WAIT);
  }

  /** The same tile in two places is wanted in the larger size. */
  list(): ShownTile[] {
    const largest = new Map<string, ShownTile>();
    for (const tile of this.#tiles.values()) {
      const known = largest.get(tile.tile);
      if (!known || tile.width * tile.height > known.width * known.height) largest.set(tile.tile, tile);
    }
    return [...largest.values()].sort((a, b) => (a.tile < b.tile ? -1 : 1));
  }

  #say(): void {
    this.#timer = undefined;
    const list = this.list();
    const text = JSON.stringify(list);
    if (text === this.#told) return;
    this.#told = text;
    this.tell(list);
  }
}

function step(pixels: number): number {
  return Math.max(STEP, Math.round(pixels / STEP) * STEP);
}
