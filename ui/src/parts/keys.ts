/** Keys as this system writes them. */
export const MAC = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);

const MAC_NAMES: Record<string, string> = { Mod: '⌘', Shift: '⇧', Alt: '⌥', Enter: '↩', Esc: 'esc' };
const NAMES: Record<string, string> = { Mod: 'Ctrl', Up: '↑', Down: '↓', Space: '␣' };

export function keyName(key: string): string {
  return (MAC ? MAC_NAMES[key] : undefined) ?? NAMES[key] ?? key;
}

/** Ctrl, or Command on a Mac. */
export function isMod(event: KeyboardEvent): boolean {
  return MAC ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
}
