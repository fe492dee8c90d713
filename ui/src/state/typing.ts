/** Tells the room that one is typing: not at every key, and not for ever. */
const AGAIN = 4_000;
const IDLE = 6_000;

export class TypingSignal {
  #room: string | null = null;
  #last = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly tell: (room: string, on: boolean) => void) {}

  typed(room: string): void {
    if (this.#room !== room) this.stop();
    const now = Date.now();
    if (this.#room !== room || now - this.#last >= AGAIN) {
      this.#room = room;
      this.#last = now;
      this.tell(room, true);
    }
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stop(), IDLE);
  }

  stop(): void {
    clearTimeout(this.#idle);
    if (this.#room !== null) this.tell(this.#room, false);
    this.#room = null;
    this.#last = 0;
  }
}
