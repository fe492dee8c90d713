/** What a scene does with the page. */
import type { App } from '../../state/app.svelte';
import type { World } from './world';

export type Scene = { world: () => World; arrange?: (app: App, world: World) => Promise<void> | void };

/** `diskFull` as a part of a scene's name: `disk-full`. */
export const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export const soon = (ms = 60) => new Promise<void>((done) => setTimeout(done, ms));

export async function find(id: string): Promise<HTMLElement> {
  for (let i = 0; i < 60; i++) {
    const found = document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
    if (found) return found;
    await soon(50);
  }
  throw new Error(`nothing is called ${id}`);
}

export async function fill(id: string, text: string): Promise<void> {
  const field = (await find(id)) as HTMLInputElement;
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await soon();
}

export async function click(id: string): Promise<void> {
  (await find(id)).click();
  await soon();
}

export const enter =
  (room: string) =>
  async (app: App): Promise<void> => {
    if (!app.rooms.get(room)) return;
    app.select(room);
    for (let i = 0; i < 100 && !document.querySelector('.placed, [data-state="knocking"]'); i++) await soon(20);
    await soon(150);
  };
