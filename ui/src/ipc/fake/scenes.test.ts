/** Every way in which things go wrong can be looked at. */
import { describe, expect, it } from 'vitest';
import type { CallEnd, ErrorCode, LinkProblem } from '../bindings';
import { dashed } from './acting';
import { scenes } from './scenes';

/** Which codes can end a start. A new code does not compile before it is judged here. */
const endsAStart: Record<ErrorCode, boolean> = {
  badName: false,
  emptyMessage: false,
  messageTooLong: false,
  badLink: false,
  alreadyMember: false,
  unknownRoom: false,
  unknownPerson: false,
  unknownMessage: false,
  unknownKnock: false,
  unknownInvite: false,
  notHost: false,
  roomFull: false,
  roomOver: false,
  busy: false,
  relayInUse: false,
  badAddress: false,
  internal: false,
  profileInUse: true,
  wrongPassphrase: false,
  wrongRecoveryCode: false,
  mistypedRecoveryCode: false,
  keyringNoService: true,
  keyringDenied: true,
  keyringEntryMissing: true,
  keyringEntryWrong: true,
  noSlotLeft: true,
  lastSlot: false,
  weakPassphrase: false,
  newerVersion: true,
  damaged: true,
  diskFull: true,
  notWritable: true,
  storeLocked: true,
  io: true,
  stopped: true,
  portInUse: false,
  addressUnavailable: false,
  relayDataDamaged: false,
  relayDataLocked: false,
  offline: false,
  inCall: false,
  callRuns: false,
  callOver: false,
  notInCall: false,
  callFull: false,
  nobodyThere: false,
  badReaction: false,
  noRelayedPath: false,
  unknownDevice: false,
};
const problems: Record<LinkProblem, true> = {
  unreachable: true,
  tls: true,
  certificateDates: true,
  pinMismatch: true,
  notARelay: true,
  version: true,
  notAdmitted: true,
  needsCode: true,
  wrongCode: true,
  clock: true,
  refused: true,
  closedByRelay: true,
  slowReader: true,
};
const ends: Record<CallEnd, true> = {
  ended: true,
  busy: true,
  unanswered: true,
  declined: true,
  missed: true,
  elsewhere: true,
  roomOver: true,
  full: true,
};

const names = <T extends string>(all: Record<T, boolean>) => (Object.keys(all) as T[]).filter((name) => all[name]);
const worlds = Object.values(scenes).map((scene) => scene.world());

describe('there is a scene', () => {
  it.each(names(endsAStart))('of a start that failed with %s', (code) => {
    const shown = worlds.some(({ start }) => start?.type === 'failed' && start.code === code);
    expect(shown).toBe(true);
  });

  it.each(names(problems))('of a relay with the problem %s', (why) => {
    const shown = worlds.some(({ relays }) => relays.some(({ status }) => status.type === 'waiting' && status.why === why));
    expect(shown).toBe(true);
  });

  it.each(names(ends))('of a call that ended: %s', (why) => {
    expect(Object.keys(scenes)).toContain(`call-${dashed(why)}`);
  });
});
