import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import { mount, tick } from 'svelte';
import AppView from './App.svelte';
import { tauri } from './ipc/client';
import { App } from './state/app.svelte';
import { languageOf, speak } from './text/index.svelte';

async function run(): Promise<void> {
  if (import.meta.env.DEV && new URLSearchParams(location.search).has('fake')) {
    await import('./gallery');
    return;
  }
  const app = new App(tauri());
  const started = app.start();
  await speak(languageOf('system', navigator.languages));
  mount(AppView, { target: document.getElementById('app')!, props: { app } });
  await started;
  await tick();
  // What `cargo xtask bench` calls the start: the first screen can be used.
  requestAnimationFrame(() => performance.mark('usable'));
}

void run();
