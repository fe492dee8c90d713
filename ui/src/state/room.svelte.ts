import type { Invite, Knock, Me, Person, Quote } from '../ipc/bindings';
import type { Ipc } from '../ipc/client';
import { Timeline } from './timeline.svelte';

/** What is known of a room that was opened: its people, requests, links and messages. */
export class OpenRoom {
  people = $state.raw<Person[]>([]);
  knocks = $state.raw<Knock[]>([]);
  invites = $state.raw<Invite[]>([]);
  /** Position up to which everything was read when the room was entered; null: no line. */
  unreadAfter = $state<number | null>(null);
  replyTo = $state.raw<Quote | null>(null);
  readonly timeline: Timeline;
  #markedRead = 0;

  constructor(
    private readonly ipc: Ipc,
    readonly id: string,
    me: () => Me | null,
    private readonly learn: (people: Person[]) => void,
  ) {
    this.timeline = new Timeline(ipc, id, me);
  }

  async load(): Promise<void> {
    const [people, knocks, invites] = await Promise.all([
      this.ipc.people(this.id),
      this.ipc.knocks(this.id),
      this.ipc.invites(this.id),
      this.timeline.load(),
    ]);
    if (people.status === 'ok') this.takePeople(people.data);
    if (knocks.status === 'ok') this.knocks = knocks.data;
    if (invites.status === 'ok') this.invites = invites.data;
  }

  takePeople(people: Person[]): void {
    this.people = people;
    this.learn(people);
  }

  /** Everything up to a position was on screen while the window had the focus. */
  seen(position: number, known: number): void {
    if (position <= known || position <= this.#markedRead) return;
    this.#markedRead = position;
    void this.ipc.markRead(this.id, position);
  }
}
