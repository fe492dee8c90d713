/** What happens in the own call, in words: for a screen reader always, as a notice where it matters. */
import type { App } from '../state/app.svelte';
import { t } from '../text/index.svelte';
import type { Happening } from './calls.svelte';

export function hearCall(app: App, happening: Happening): void {
  const text = t().call;
  const say = (words: string): void => {
    app.heard = words;
  };
  const name = (user: string) => app.rooms.name(user) ?? t().common.somebody;
  switch (happening.what) {
    case 'joined':
      return say(text.heardJoined(name(happening.user)));
    case 'left':
      return say(text.heardLeft(name(happening.user)));
    case 'hand':
      return say(text.heardHand(name(happening.user)));
    case 'shares':
      return say(text.heardShares(name(happening.user)));
    case 'sharesNot':
      return say(text.heardSharesNot(name(happening.user)));
    case 'over': {
      const { phase } = happening.call;
      if (phase.phase !== 'over') return;
      say(text.ends[phase.why]);
      if (phase.why === 'ended') app.notices.say('plain', { what: text.ends.ended, then: '' });
      return;
    }
  }
}
