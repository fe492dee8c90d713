/** Any screen in any state, in a plain browser: ?fake=SCENE&theme=dark&language=de&density=compact */
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import { mount, tick } from 'svelte';
import AppView from './App.svelte';
import { FakeRinging, ringingScenes } from './ipc/fake/ringing';
import { scenes } from './ipc/fake/scenes';
import { App } from './state/app.svelte';
import { speak } from './text/index.svelte';
import Ringing from './views/Ringing.svelte';

async function show(): Promise<void> {
  const asked = new URLSearchParams(location.search);
  const name = asked.get('fake') ?? 'full';
  const rings = ringingScenes[name];
  if (rings) {
    mount(Ringing, { target: document.getElementById('app')!, props: { ipc: new FakeRinging(rings) } });
    await tick();
    document.documentElement.dataset.scene = name;
    return;
  }
  const scene = scenes[name];
  if (!scene) throw new Error('no such scene');
  const world = scene.world();
  const language = asked.get('language') === 'de' ? 'de' : 'en';
  world.settings = {
    ...world.settings,
    theme: asked.get('theme') === 'dark' ? 'dark' : 'light',
    density: asked.get('density') === 'compact' ? 'compact' : world.settings.density,
    language,
  };
  const app = new App(world.ipc());
  await speak(language);
  document.documentElement.dataset.theme = world.settings.theme;
  await app.start();
  app.settings.take(world.settings);
  mount(AppView, { target: document.getElementById('app')!, props: { app } });
  await tick();
  await scene.arrange?.(app, world);
  document.documentElement.dataset.scene = name;
}

Object.assign(globalThis, { sceneNames: [...Object.keys(scenes), ...Object.keys(ringingScenes)] });
void show();
