/** The window of a ringing call in its states, and what it asks for. */
import type { RingingAnswer, RingingCall } from '../bindings';
import type { RingingIpc } from '../client';

const CALL: RingingCall = {
  id: 'call',
  video: true,
  caller: { name: 'Carol Danvers', emoji: '', color: 5 },
  room: 'Field notes',
  byVerified: false,
  endsOther: false,
  language: 'en',
};

export const ringingScenes: Record<string, RingingCall> = {
  'ringing-window-video': CALL,
  'ringing-window-voice': { ...CALL, video: false, byVerified: true, caller: { name: 'Bob', emoji: '🦊', color: 2 } },
  'ringing-window-hidden': { ...CALL, caller: null, room: null },
  'ringing-window-long': {
    ...CALL,
    endsOther: true,
    caller: { name: 'Maximiliane-Friederike Schwarzenberg-Hohenlohe von und zu Altenstein', emoji: '', color: 9 },
    room: 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft',
  },
};

export class FakeRinging implements RingingIpc {
  answers: [string, RingingAnswer][] = [];
  ring: (call: RingingCall | null) => void = () => {};

  constructor(private readonly first: RingingCall | null) {}

  async watchRinging(listen: (call: RingingCall | null) => void) {
    this.ring = listen;
    listen(this.first);
    return { status: 'ok' as const, data: null };
  }

  async answerRinging(call: string, answer: RingingAnswer) {
    this.answers.push([call, answer]);
    return { status: 'ok' as const, data: null };
  }
}
