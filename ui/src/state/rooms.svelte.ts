import { SvelteMap } from 'svelte/reactivity';
import type { Me, Person, Profile, Room } from '../ipc/bindings';
import type { Ipc } from '../ipc/client';
import { OpenRoom } from './room.svelte';
import { neighbor, roomRows } from './roomlist';
import { TypingSignal } from './typing';

/** Rooms whose messages stay in memory; the others are read again when opened. */
const KEPT = 6;
const DRAFT_WAIT = 400;
const COLORS = 12;

export class Rooms {
  #rooms = new SvelteMap<string, Room>();
  #open = new SvelteMap<string, OpenRoom>();
  #drafts = new SvelteMap<string, string>();
  #draftTimers = new Map<string, ReturnType<typeof setTimeout>>();
  #typing = new SvelteMap<string, string[]>();
  #known = new SvelteMap<string, Profile>();
  selected = $state<string | null>(null);
  filter = $state('');
  archivedOpen = $state(false);
  all = $derived([...this.#rooms.values()]);
  rows = $derived(roomRows(this.all, this.filter, this.archivedOpen));
  unread = $derived(this.all.reduce((sum, room) => sum + (room.muted || room.archived ? 0 : room.unread), 0));
  /** The room on screen. */
  current = $derived(this.selected === null ? null : (this.#rooms.get(this.selected) ?? null));
  currentOpen = $derived(this.selected === null ? null : (this.#open.get(this.selected) ?? null));
  readonly typingOut: TypingSignal;

  constructor(
    private readonly ipc: Ipc,
    private readonly me: () => Me | null,
  ) {
    this.typingOut = new TypingSignal((room, on) => void ipc.setTyping(room, on));
  }

  take(rooms: Room[]): void {
    this.#rooms.clear();
    for (const room of rooms) this.#rooms.set(room.id, room);
    for (const id of [...this.#open.keys()]) if (!this.#rooms.has(id)) this.#open.delete(id);
    if (this.selected !== null && !this.#rooms.has(this.selected)) this.selected = null;
    for (const open of this.#open.values()) void open.load();
  }

  get(id: string): Room | undefined {
    return this.#rooms.get(id);
  }

  opened(id: string): OpenRoom | undefined {
    return this.#open.get(id);
  }

  put(room: Room): void {
    this.#rooms.set(room.id, room);
  }

  drop(id: string): void {
    this.#rooms.delete(id);
    this.#open.delete(id);
    this.#drafts.delete(id);
    this.#typing.delete(id);
    if (this.selected === id) this.selected = null;
  }

  select(id: string): void {
    const before = this.selected;
    if (before !== null && before !== id) {
      this.typingOut.stop();
      this.#keepDraft(before);
    }
    this.selected = id;
    const room = this.#rooms.get(id);
    let open = this.#open.get(id);
    if (!open) {
      open = new OpenRoom(this.ipc, id, this.me, (people) => this.learn(people));
      void open.load();
    } else {
      // Moves to the end: the order is that of use.
      this.#open.delete(id);
      open.timeline.trim();
    }
    if (before !== id) open.unreadAfter = room && room.unread > 0 ? room.readPosition : null;
    this.#open.set(id, open);
    for (const old of [...this.#open.keys()].slice(0, -KEPT)) this.#open.delete(old);
  }

  step(step: 1 | -1, unreadOnly = false): void {
    const next = neighbor(this.rows, this.selected, step, (room) => !unreadOnly || room.unread > 0);
    if (next) this.select(next);
  }

  draft(id: string): string {
    return this.#drafts.get(id) ?? this.#rooms.get(id)?.draft ?? '';
  }

  /** Keeps what was typed; the store follows when the typing pauses. */
  setDraft(id: string, text: string): void {
    if (text === this.draft(id)) return;
    this.#drafts.set(id, text);
    clearTimeout(this.#draftTimers.get(id));
    this.#draftTimers.set(
      id,
      setTimeout(() => this.#keepDraft(id), DRAFT_WAIT),
    );
  }

  #keepDraft(id: string): void {
    clearTimeout(this.#draftTimers.get(id));
    if (!this.#draftTimers.delete(id)) return;
    void this.ipc.setDraft(id, this.#drafts.get(id) ?? '');
  }

  takeTyping(room: string, users: string[]): void {
    if (users.length === 0) this.#typing.delete(room);
    else this.#typing.set(room, users);
  }

  /** The names of who is typing, as far as they are known. */
  typing(room: string): (string | null)[] {
    return (this.#typing.get(room) ?? []).map((user) => this.name(user));
  }

  /** Looks up the people of a room that was not opened: somebody there calls. */
  async meet(room: string, users: string[]): Promise<void> {
    if (users.every((user) => this.#known.has(user))) return;
    const answer = await this.ipc.people(room);
    if (answer.status === 'ok') this.learn(answer.data);
  }

  learn(people: Person[]): void {
    for (const { user, profile } of people) this.#known.set(user, profile);
  }

  /** How a person presents themselves, as far as known; the fallback has a steady color of its own. */
  profile(user: string, name: string): Profile {
    const me = this.me();
    if (me?.user === user) return me.profile;
    return this.#known.get(user) ?? { name, emoji: '', color: steadyColor(user) };
  }

  name(user: string): string | null {
    return this.#known.get(user)?.name ?? null;
  }
}

export function steadyColor(id: string): number {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.charCodeAt(0)) >>> 0;
  return sum % COLORS;
}
