/** Addresses of relays, as people read them. Pure. */

/** Without the fingerprint of its certificate. */
export function bare(address: string): string {
  return address.replace(/#.*$/, '');
}

/** Only host and port. */
export function hostOf(address: string): string {
  return bare(address).replace(/^wss?:\/\//, '');
}
