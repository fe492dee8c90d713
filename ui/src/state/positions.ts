/** Where items stand in a timeline. Positions from Rust are below 2^53. */

/** From here on a message waits to be accepted by the relay. */
export const PENDING = 2 ** 52;
/** From here on a message was not even confirmed by Rust: behind everything else. */
export const LOCAL = 2 ** 53 - 2 ** 32;

export function isAccepted(item: { position: number }): boolean {
  return item.position < PENDING;
}
