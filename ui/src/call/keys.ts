/** Keys of a call: they work in every room while it runs. */
import type { App } from '../state/app.svelte';
import { isMod } from '../parts/keys';

export function callKeys(app: App, event: KeyboardEvent): boolean {
  const { calls } = app;
  if (!calls.own || !isMod(event) || !event.shiftKey || event.altKey) return false;
  switch (event.key.toLowerCase()) {
    case 'm':
      calls.toggleMicrophone();
      return true;
    case 'k':
      calls.toggleCamera();
      return true;
    case 'h':
      calls.raiseHand(calls.own.own.hand === null);
      return true;
    case 'f':
      calls.stage = !calls.stage;
      return true;
    default:
      return false;
  }
}

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}

/** The space bar opens a muted microphone, for as long as it is held. */
export function talkKey(app: App, event: KeyboardEvent, down: boolean): void {
  if (down) hold(app, event);
  else release(app, event);
}

function hold({ calls, desk, settings }: App, event: KeyboardEvent): void {
  if (event.key !== ' ' || !calls.own || !calls.stage || !settings.value.pushToTalk) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (writes(event.target) || desk.sheet || desk.question || document.querySelector('dialog[open]')) return;
  if (calls.sending.microphone && !calls.talking) return;
  // A focused button would take it for a click, on either half of the press.
  event.preventDefault();
  calls.talk(true);
}

/** Whatever else is held or has changed meanwhile: who lets go is not heard any more. */
function release({ calls }: App, event: KeyboardEvent): void {
  if (!calls.talking) return;
  // With a modifier the key may make another sign. And where Command is held, other keys are not let go of.
  const space = event.key === ' ' || event.code === 'Space';
  if (!space && event.key !== 'Meta') return;
  event.preventDefault();
  calls.talk(false);
}
