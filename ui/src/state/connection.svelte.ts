import { SvelteMap } from 'svelte/reactivity';
import type { BuiltInRelay, LinkProblem, LinkStatus, Relay } from '../ipc/bindings';

/** One line for all relays, worst first. */
export type Summary =
  | { kind: 'none' }
  | { kind: 'connected'; relays: Relay[] }
  | { kind: 'connecting'; relay: Relay }
  | { kind: 'waiting'; relay: Relay; why: LinkProblem; retryAt: number; others: number }
  | { kind: 'off'; relay: Relay };

export type Line = { relay: Relay; /** Unix ms of the next try. */ retryAt: number | null };

export function summarize(lines: Line[]): Summary {
  let waiting: { line: Line; why: LinkProblem } | null = null;
  for (const line of lines) {
    const { status } = line.relay;
    if (status.type !== 'waiting') continue;
    if (!waiting || (line.retryAt ?? 0) < (waiting.line.retryAt ?? 0)) waiting = { line, why: status.why };
  }
  const connected = lines.filter(({ relay }) => relay.status.type === 'connected').map(({ relay }) => relay);
  if (waiting) {
    return {
      kind: 'waiting',
      relay: waiting.line.relay,
      why: waiting.why,
      retryAt: waiting.line.retryAt ?? 0,
      others: connected.length,
    };
  }
  const connecting = lines.find(({ relay }) => relay.status.type === 'connecting');
  if (connecting) return { kind: 'connecting', relay: connecting.relay };
  if (connected.length > 0) return { kind: 'connected', relays: connected };
  const off = lines[0];
  return off ? { kind: 'off', relay: off.relay } : { kind: 'none' };
}

/** Whole seconds until a time, never below zero. */
export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000));
}

/** What a person must do something about before a relay takes them. */
export function keepsOut(why: LinkProblem): boolean {
  return why === 'needsCode' || why === 'wrongCode' || why === 'notAdmitted';
}

export class Connection {
  #waiting = new Set<(relay: Relay) => void>();
  #lines = new SvelteMap<string, Line>();
  builtIn = $state.raw<BuiltInRelay | null>(null);
  summary = $derived(summarize([...this.#lines.values()]));
  relays = $derived([...this.#lines.values()].map((line) => line.relay));

  take(relays: Relay[]): void {
    this.#lines.clear();
    for (const relay of relays) this.put(relay);
  }

  put(relay: Relay): void {
    const { status } = relay;
    this.#lines.set(relay.address, {
      relay,
      retryAt: status.type === 'waiting' ? Date.now() + status.retryInMs : null,
    });
    for (const hear of this.#waiting) hear(relay);
  }

  /** What the attempt to reach a relay that begins with `ask` comes to; null if that takes too long, or nothing was tried. */
  async outcome(ask: () => Promise<string | null>, patience: number): Promise<LinkStatus | null> {
    const heard = new Map<string, LinkStatus>();
    let wanted: string | null = null;
    let settle: (status: LinkStatus | null) => void = () => {};
    const settled = new Promise<LinkStatus | null>((done) => (settle = done));
    const hear = ({ address, status }: Relay): void => {
      if (status.type === 'connecting') heard.delete(address);
      else heard.set(address, status);
      if (address === wanted && status.type !== 'connecting') settle(status);
    };
    this.#waiting.add(hear);
    const timer = setTimeout(() => settle(null), patience);
    try {
      wanted = await ask();
      const already = wanted === null ? null : (heard.get(wanted) ?? (this.isUp(wanted) ? this.get(wanted)?.status : undefined));
      if (already !== undefined) settle(already);
      return await settled;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(hear);
    }
  }

  drop(address: string): void {
    this.#lines.delete(address);
  }

  line(address: string): Line | undefined {
    return this.#lines.get(address);
  }

  get(address: string): Relay | undefined {
    return this.#lines.get(address)?.relay;
  }

  isUp(address: string): boolean {
    return this.get(address)?.status.type === 'connected';
  }
}
