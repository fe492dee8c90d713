/**
 * The only door to Rust. Everything else gets an `Ipc` handed over, so that
 * the same page runs on the fake.
 */
import { Channel } from '@tauri-apps/api/core';
import { commands, type Event, type RingingCall, type Start, type UiError } from './bindings';

export type Answer<T> = { status: 'ok'; data: T } | { status: 'error'; error: UiError };
export type Listen = (event: Event) => void;

/** What the window of a ringing call may ask. */
export type RingingIpc = Pick<typeof commands, 'answerRinging'> & {
  /** The call that rings, and every change of it. */
  watchRinging(listen: (call: RingingCall | null) => void): Promise<Answer<null>>;
};

/** The commands of the contract; only `open` differs: it takes a listener. */
export type Ipc = Omit<typeof commands, 'open' | 'watchRinging' | 'answerRinging'> & {
  open(listen: Listen): Promise<Answer<Start>>;
  /** The newest picture of a tile in this size, if it is newer than `after`. */
  tile(tile: string, width: number, height: number, after: number): Promise<ArrayBuffer | null>;
};

export const BROKEN: UiError = { code: 'internal', max: null, link: null };

/** Pictures come over a scheme of their own; where a web view knows no such, over a host that stands for it. */
export function tileAddress(agent: string, tile: string, width: number, height: number, after: number): string {
  const base = /Windows|Android/.test(agent) ? 'http://sotto-tile.localhost/' : 'sotto-tile://localhost/';
  return `${base}${tile}?w=${width}&h=${height}&after=${after}`;
}

type Command = (...args: never[]) => Promise<Answer<unknown>>;

/** A call that fails outside of the contract (no window, wrong shape) is an answer too. */
function guarded(command: Command): Command {
  return async (...args) => {
    try {
      return await command(...args);
    } catch {
      return { status: 'error', error: BROKEN };
    }
  };
}

export function ringing(): RingingIpc {
  const watch = guarded(commands.watchRinging as Command) as typeof commands.watchRinging;
  return {
    answerRinging: guarded(commands.answerRinging as Command) as typeof commands.answerRinging,
    watchRinging(listen) {
      const channel = new Channel<RingingCall | null>();
      channel.onmessage = listen;
      return watch(channel);
    },
  };
}

export function tauri(): Ipc {
  const door = Object.fromEntries(
    Object.entries(commands).map(([name, command]) => [name, guarded(command as Command)]),
  ) as unknown as Omit<Ipc, 'open'>;
  const open = guarded(commands.open as Command) as typeof commands.open;
  return {
    ...door,
    open(listen) {
      const channel = new Channel<Event>();
      channel.onmessage = listen;
      return open(channel);
    },
    async tile(tile, width, height, after) {
      const answer = await fetch(tileAddress(navigator.userAgent, tile, width, height, after), { cache: 'no-store' });
      return answer.status === 200 ? answer.arrayBuffer() : null;
    },
  };
}
