/** Keys that work everywhere in the open app. */
import { callKeys } from '../call/keys';
import { isMod } from '../parts/keys';
import type { App } from '../state/app.svelte';

export function hotkeys(app: App, event: KeyboardEvent): void {
  const { desk, rooms } = app;
  if (event.defaultPrevented || event.isComposing) return;
  const done = (run: () => void) => {
    event.preventDefault();
    run();
  };
  const key = event.key.toLowerCase();
  if (callKeys(app, event)) return event.preventDefault();
  if (isMod(event) && !event.altKey) {
    if (key === 'k') return done(() => desk.open({ type: 'palette' }));
    if (key === '/') return done(() => desk.open({ type: 'shortcuts' }));
    if (key === ',') return done(() => desk.open({ type: 'settings', page: 'profile' }));
    if (desk.sheet || desk.question) return;
    if (key === 'n') return done(() => desk.open({ type: 'newRoom' }));
    if (key === 'j') return done(() => desk.open({ type: 'join', link: '', clicked: false }));
    if (key === 'p' && event.shiftKey) return done(() => (desk.people = !desk.people));
    return;
  }
  if (desk.sheet || desk.question) return;
  if (event.altKey && (key === 'arrowdown' || key === 'arrowup')) {
    return done(() => {
      rooms.step(key === 'arrowdown' ? 1 : -1, event.shiftKey);
      desk.pane = 'room';
    });
  }
  if (key === 'escape' && desk.people && innerWidth < 1120) return done(() => (desk.people = false));
}
