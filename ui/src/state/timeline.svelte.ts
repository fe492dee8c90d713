import { BROKEN, type Answer, type Ipc } from '../ipc/client';
import type { Item, Me, Quote, UiError } from '../ipc/bindings';
import { newId } from './ids';
import { LOCAL } from './positions';

const PAGE = 60;
/** Items kept while following the newest; older ones are read again from the store. */
const KEPT = 400;
/** Pages read back at most to find a quoted message. */
const SEARCHED = 25;

/** One room's messages: a window onto the store, plus what was just typed. */
export class Timeline {
  items = $state.raw<Item[]>([]);
  more = $state(false);
  loaded = $state(false);
  loading = $state(false);
  error = $state.raw<UiError | null>(null);
  /** Whether the last change put items before the others (virtual lists keep their place by it). */
  prepended = $state(false);
  /** Own messages that Rust did not take, and why. */
  refused = $state.raw<ReadonlyMap<string, UiError>>(new Map());
  #sent = 0;

  constructor(
    private readonly ipc: Ipc,
    private readonly room: string,
    private readonly me: () => Me | null,
  ) {}

  async load(): Promise<void> {
    this.loading = true;
    const answer = await this.ipc.timeline(this.room, null, PAGE);
    this.loading = false;
    if (answer.status === 'error') {
      this.error = answer.error;
      return;
    }
    this.error = null;
    this.prepended = false;
    const page = sorted(answer.data.items);
    const known = new Set(page.map((item) => item.id));
    const last = page.at(-1)?.position ?? 0;
    // What came while the page was read is not on it.
    this.items = [...page, ...this.items.filter((item) => !known.has(item.id) && item.position > last)];
    this.more = answer.data.more;
    this.loaded = true;
  }

  /** Reads one page further back. False when there was nothing to read. */
  async older(): Promise<boolean> {
    const first = this.items[0];
    if (!this.more || this.loading || !first) return false;
    this.loading = true;
    const answer = await this.ipc.timeline(this.room, first.position, PAGE);
    this.loading = false;
    if (answer.status === 'error') {
      this.error = answer.error;
      return false;
    }
    const known = new Set(this.items.map((item) => item.id));
    const before = sorted(answer.data.items).filter((item) => !known.has(item.id));
    this.prepended = true;
    this.items = [...before, ...this.items];
    this.more = answer.data.more && before.length > 0;
    return before.length > 0;
  }

  /** Reads back until a message is here. */
  async reach(id: string): Promise<boolean> {
    for (let page = 0; page < SEARCHED; page++) {
      if (this.items.some((item) => item.id === id)) return true;
      if (!(await this.older())) return false;
    }
    return false;
  }

  put(item: Item): void {
    const items = this.items.filter((one) => one.id !== item.id);
    const first = items[0];
    // Older than the window onto the store: it comes when somebody reads back.
    if (this.more && first && item.position < first.position) {
      this.items = items;
      return;
    }
    let at = items.length;
    while (at > 0 && items[at - 1]!.position > item.position) at--;
    this.prepended = false;
    this.items = [...items.slice(0, at), item, ...items.slice(at)];
  }

  drop(id: string): void {
    this.prepended = false;
    this.items = this.items.filter((item) => item.id !== id);
    this.#forgetRefusal(id);
  }

  /** Lets go of old items while the newest are followed. */
  trim(): void {
    if (this.items.length <= KEPT) return;
    this.prepended = true;
    this.items = this.items.slice(-KEPT / 2);
    this.more = true;
  }

  /** Shows the message at once and hands it to Rust. */
  async send(text: string, replyTo: Quote | null): Promise<void> {
    const me = this.me();
    if (!me) return;
    const item: Item = {
      id: newId(),
      position: LOCAL + this.#sent++,
      seq: null,
      at: Date.now(),
      kind: {
        kind: 'message',
        from: me.user,
        name: me.profile.name,
        text,
        blocks: plain(text),
        replyTo,
        delivery: 'pending',
      },
    };
    this.prepended = false;
    this.items = [...this.items, item];
    await this.#hand(item.id, text, replyTo);
  }

  async retry(id: string): Promise<void> {
    const item = this.items.find((one) => one.id === id);
    if (!item || item.kind.kind !== 'message') return;
    const unknownToRust = this.refused.has(id);
    this.#forgetRefusal(id);
    this.#replace({ ...item, kind: { ...item.kind, delivery: 'pending' } });
    if (unknownToRust) {
      await this.#hand(id, item.kind.text, item.kind.replyTo);
    } else {
      this.#judge(id, await this.ipc.retryMessage(this.room, id));
    }
  }

  async discard(id: string): Promise<Answer<null>> {
    if (this.refused.has(id)) {
      this.drop(id);
      return { status: 'ok', data: null };
    }
    const answer = await this.ipc.discardMessage(this.room, id);
    if (answer.status === 'ok') this.drop(id);
    return answer;
  }

  async #hand(id: string, text: string, replyTo: Quote | null): Promise<void> {
    this.#judge(id, await this.ipc.sendMessage(this.room, id, text, replyTo).catch(() => broken()));
  }

  #judge(id: string, answer: Answer<null>): void {
    if (answer.status === 'ok') return;
    const item = this.items.find((one) => one.id === id);
    if (!item || item.kind.kind !== 'message') return;
    this.refused = new Map(this.refused).set(id, answer.error);
    this.#replace({ ...item, kind: { ...item.kind, delivery: 'failed' } });
  }

  #replace(item: Item): void {
    this.items = this.items.map((one) => (one.id === item.id ? item : one));
  }

  #forgetRefusal(id: string): void {
    if (!this.refused.has(id)) return;
    const refused = new Map(this.refused);
    refused.delete(id);
    this.refused = refused;
  }
}

function broken(): Answer<null> {
  return { status: 'error', error: BROKEN };
}

function sorted(items: Item[]): Item[] {
  return [...items].sort((a, b) => a.position - b.position);
}

/** Until Rust has parsed the Markdown: the text as it is, line by line. */
function plain(text: string): Extract<Item['kind'], { kind: 'message' }>['blocks'] {
  const inlines = text
    .split('\n')
    .flatMap((line, i) =>
      i === 0 ? [{ type: 'text' as const, text: line }] : [{ type: 'break' as const }, { type: 'text' as const, text: line }],
    );
  return [{ type: 'paragraph', inlines }];
}
