/** What happened in a room, in words. Pure. */
import type { Actor, SystemLine } from '../ipc/bindings';
import type { Catalog, Language } from '../text/index.svelte';
import { lasting } from '../text/time';

export function systemWords(t: Catalog, language: Language, line: SystemLine, me: string): string {
  const text = t.system;
  const mine = (actor: Actor) => actor.user === me;
  switch (line.event) {
    case 'created':
      return mine(line.by) ? text.createdYou : text.created(line.by.name);
    case 'joined':
      if (line.who.user === line.by.user) return text.joinedSelf(line.who.name);
      return mine(line.by) ? text.joinedByYou(line.who.name) : text.joined(line.who.name, line.by.name);
    case 'youJoined':
      return text.youJoined(line.by.name);
    case 'left':
      return mine(line.who) ? text.leftYou : text.left(line.who.name);
    case 'removed':
      if (mine(line.who)) return text.removedYou(line.by.name);
      return mine(line.by) ? text.removedByYou(line.who.name) : text.removed(line.who.name, line.by.name);
    case 'hostChanged':
      return mine(line.host) ? text.hostChangedYou : text.hostChanged(line.host.name);
    case 'renamed':
      return mine(line.by) ? text.renamedYou(line.name) : text.renamed(line.by.name, line.name);
    case 'topicChanged':
      if (line.topic === '') return mine(line.by) ? text.topicClearedYou : text.topicCleared(line.by.name);
      return mine(line.by) ? text.topicChangedYou(line.topic) : text.topicChanged(line.by.name, line.topic);
    case 'admissionChanged':
      if (line.admission === 'atOnce') return mine(line.by) ? text.atOnceYou : text.atOnce(line.by.name);
      return mine(line.by) ? text.byHostYou : text.byHost(line.by.name);
    case 'deleted':
      if (line.by === null) return text.deletedRelay;
      return mine(line.by) ? text.deletedYou : text.deleted(line.by.name);
    case 'refused':
      return text.refused(line.by.name);
    case 'profileChanged':
      return mine(line.who) ? text.profileChangedYou(line.who.name) : text.profileChanged(line.before, line.who.name);
    case 'callStarted':
      if (mine(line.by)) return line.video ? text.videoStartedYou : text.callStartedYou;
      return line.video ? text.videoStarted(line.by.name) : text.callStarted(line.by.name);
    case 'callEnded':
      return endWords(t, language, line, mine(line.by));
  }
}

function endWords({ system: text }: Catalog, language: Language, line: Extract<SystemLine, { event: 'callEnded' }>, mine: boolean): string {
  switch (line.end) {
    case 'ended':
      return (line.video ? text.videoEnded : text.callEnded)(lasting(language, line.lasted));
    case 'unanswered':
      return text.callUnanswered;
    case 'declined':
      return mine ? text.callDeclinedYours : text.callDeclined(line.by.name);
    case 'missed':
      return (line.video ? text.videoMissed : text.callMissed)(line.by.name);
  }
}
