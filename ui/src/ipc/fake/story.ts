/** Builds rooms with a history. Positions and seqs follow the order of the calls. */
import type { GapWhy, Item, ItemKind, Person, Quote, Room, SystemLine } from '../bindings';
import { PENDING } from '../../state/positions';
import { blocks } from './markdown';
import { emptyRoom, type Place, type World } from './world';

export class Story {
  readonly items: Item[] = [];
  #seq = 0;

  constructor(
    private readonly world: World,
    readonly room: Room,
    readonly people: Person[],
    private at: number,
  ) {}

  wait(minutes: number): this {
    this.at += minutes * 60_000;
    return this;
  }

  says(who: Person, text: string, replyTo: Quote | null = null): this {
    return this.#put({
      kind: 'message',
      from: who.user,
      name: who.profile.name,
      text,
      blocks: blocks(text),
      replyTo,
      delivery: 'accepted',
    });
  }

  line(line: SystemLine): this {
    return this.#put({ kind: 'system', line });
  }

  gap(count: number, why: GapWhy): this {
    return this.#put({ kind: 'gap', count, why });
  }

  /** An own message that is not with the relay. */
  stuck(who: Person, text: string, delivery: 'pending' | 'failed'): this {
    this.at += 20_000;
    this.items.push({
      id: `${this.room.id}-stuck-${this.items.length}`,
      position: PENDING + this.items.length,
      seq: null,
      at: this.at,
      kind: { kind: 'message', from: who.user, name: who.profile.name, text, blocks: blocks(text), replyTo: null, delivery },
    });
    return this;
  }

  get seq(): number {
    return this.#seq;
  }

  id(back = 1): string {
    return this.items.at(-back)?.id ?? '';
  }

  position(back = 1): number {
    return this.items.at(-back)?.position ?? 0;
  }

  /** Puts the room into the world. */
  tell(part: Partial<Room> = {}): Place {
    const message = [...this.items].reverse().find((item) => item.kind.kind === 'message');
    const kind = message?.kind.kind === 'message' ? message.kind : null;
    const place: Place = {
      room: {
        ...this.room,
        memberCount: this.people.length,
        unverified: this.people.filter((one) => !one.me && one.verifiedAt === null).length,
        readPosition: this.items.at(-1)?.position ?? 0,
        activeAt: this.at,
        last: message && kind ? { from: kind.from, name: kind.name, text: kind.text, at: message.at } : null,
        ...part,
      },
      items: this.items,
      people: this.people,
      knocks: [],
      invites: [],
    };
    this.world.places.set(this.room.id, place);
    return place;
  }

  #put(kind: ItemKind): this {
    this.#seq += 1;
    this.at += 20_000;
    this.items.push({ id: `${this.room.id}-${this.#seq}`, position: this.#seq * 1000, seq: this.#seq, at: this.at, kind });
    return this;
  }
}

export function story(world: World, id: string, name: string, people: Person[], at: number): Story {
  const host = people.find((one) => one.host)?.user ?? null;
  return new Story(world, emptyRoom(id, world.relays[0]?.address ?? '', name, host), people, at);
}
