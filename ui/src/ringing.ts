/** The window of a call that rings: a page of its own, small, with two commands. */
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import { mount } from 'svelte';
import { ringing } from './ipc/client';
import Ringing from './views/Ringing.svelte';

mount(Ringing, { target: document.getElementById('app')!, props: { ipc: ringing() } });
