/** Opens the page on a world of the fake, as the app would. */
import { render } from '@testing-library/svelte';
import AppView from '../App.svelte';
import type { World } from '../ipc/fake/world';
import { App } from '../state/app.svelte';

export async function started(world: World): Promise<App> {
  const app = new App(world.ipc());
  await app.start();
  return app;
}

export async function opened(world: World): Promise<App> {
  const app = await started(world);
  render(AppView, { app });
  return app;
}

/** Lets answers, effects and frames that are due happen. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((done) => setTimeout(done, 0));
}
