/** When the steps to a connection were done, in the order in which they lead to it. Pure. */
import type { Setup } from '../ipc/bindings';

export type Step = 'offer' | 'answer' | 'ice' | 'dtls' | 'sound' | 'picture';

export function stepsOf(setup: Setup): [Step, number][] {
  // Who offers describes first and takes an answer; who answers takes an offer and describes then.
  const descriptions = [setup.describedMs, setup.answeredMs].filter((ms) => ms !== null).sort((a, b) => a - b);
  const all: [Step, number | null | undefined][] = [
    ['offer', descriptions[0]],
    ['answer', descriptions[1]],
    ['ice', setup.iceMs],
    ['dtls', setup.dtlsMs],
    ['sound', setup.firstSoundMs],
    ['picture', setup.firstPictureMs],
  ];
  return all.filter((one): one is [Step, number] => typeof one[1] === 'number');
}
