import { describe, expect, it } from 'vitest';
import type { Settings as Values } from '../ipc/bindings';
import { BROKEN, type Answer } from '../ipc/client';
import { Settings } from './settings.svelte';

/** A store that answers when the play wants it to. */
function store() {
  const asked: { values: Values; answer: (done: boolean) => void }[] = [];
  const setSettings = (values: Values) =>
    new Promise<Answer<null>>((answered) => {
      const answer = (done: boolean) => answered(done ? { status: 'ok', data: null } : { status: 'error', error: BROKEN });
      asked.push({ values, answer });
    });
  const lost: string[][] = [];
  const settings = new Settings({ setSettings }, (keys) => lost.push(keys));
  /** The next that is asked is answered. */
  const answer = async (done: boolean) => {
    await new Promise((later) => setTimeout(later));
    asked.shift()?.answer(done);
    await new Promise((later) => setTimeout(later));
  };
  return { settings, asked, lost, answer };
}

describe('settings', () => {
  it('show at once, and go back when they could not be kept', async () => {
    const { settings, lost, answer } = store();
    void settings.change({ sound: false });
    expect(settings.value.sound).toBe(false);
    await answer(false);
    expect(settings.value.sound).toBe(true);
    expect(lost).toEqual([['sound']]);
  });

  it('stay as chosen if only what was chosen before them is lost', async () => {
    const { settings, asked, lost, answer } = store();
    void settings.change({ theme: 'dark' });
    void settings.change({ theme: 'light', sound: false });
    await answer(false);
    expect(settings.value).toMatchObject({ theme: 'light', sound: false });
    await answer(true);
    expect(settings.value).toMatchObject({ theme: 'light', sound: false });
    void settings.change({ density: 'compact' });
    await new Promise((later) => setTimeout(later));
    expect(asked[0]?.values).toMatchObject({ theme: 'light', sound: false, density: 'compact' });
    expect(lost).toEqual([['theme']]);
  });

  it('never ask the store to keep what it has refused', async () => {
    const { settings, asked, answer } = store();
    void settings.change({ hideAddress: true });
    void settings.change({ sound: false });
    await answer(false);
    expect(asked[0]?.values).toMatchObject({ hideAddress: false, sound: false });
    await answer(true);
    expect(settings.value).toMatchObject({ hideAddress: false, sound: false });
  });
});
