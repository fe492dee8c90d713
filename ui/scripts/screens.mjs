// Every scene, light and dark, narrow and wide, and some with forced colors, as pictures: node scripts/screens.mjs DIR [scene…]
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const ui = fileURLToPath(new URL('..', import.meta.url));
const gallery = join(ui, '../target/gallery');
const [out, ...wanted] = process.argv.slice(2);
if (!out) {
  console.error('Say where the pictures go: node scripts/screens.mjs DIR [scene…]');
  process.exit(2);
}

// What the app's own window enforces, or stricter: a picture that needs more is a defect.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};
const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 480, height: 800 }, ringing: { width: 400, height: 500 } };
/** The window of a ringing call has one size and one look. */
const sizes = (scene) => (scene.startsWith('ringing-window') ? ['ringing'] : ['wide', 'narrow']);
/** These are drawn once more with forced colors, as people have them who need much contrast. */
const CONTRAST = ['full', 'people', 'settings-notifications', 'unread', 'verify', 'welcome'];
/** A Friday afternoon. */
const NOW = new Date(2026, 10, 20, 14, 6, 30);

const built = spawnSync(process.execPath, [join(ui, 'node_modules/vite/bin/vite.js'), 'build', '--mode', 'gallery', '--logLevel', 'warn'], {
  cwd: ui,
  stdio: 'inherit',
});
if (built.status !== 0) process.exit(built.status ?? 1);

const server = createServer((request, response) => {
  const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
  const file = join(gallery, path === '/' ? 'gallery.html' : path);
  if (path === '/favicon.ico') {
    response.writeHead(204).end();
    return;
  }
  if (!file.startsWith(gallery) || !existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': POLICY,
  });
  createReadStream(file).pipe(response);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: process.env.SOTTO_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const faults = [];
mkdirSync(out, { recursive: true });

async function names() {
  const page = await browser.newPage();
  await page.goto(`${origin}/?fake=empty`);
  await page.waitForFunction(() => Array.isArray(globalThis.sceneNames));
  const found = await page.evaluate(() => globalThis.sceneNames);
  await page.close();
  return found;
}

async function picture(scene, size, theme) {
  const forced = theme === 'contrast';
  const scheme = forced ? 'dark' : theme;
  const context = await browser.newContext({
    viewport: SIZES[size],
    colorScheme: scheme,
    forcedColors: forced ? 'active' : 'none',
    reducedMotion: 'reduce',
    locale: 'en-GB',
    serviceWorkers: 'block',
  });
  // As the app's window does, before any script of the page.
  await context.addInitScript(() => Object.freeze(Object.prototype));
  const page = await context.newPage();
  const where = `${scene} ${size} ${theme}`;
  page.on('pageerror', (error) => faults.push(`${where}: ${error.message}`));
  page.on('console', (line) => {
    if (line.type() === 'error') faults.push(`${where}: ${line.text()}`);
  });
  await page.clock.setFixedTime(NOW);
  await page.goto(`${origin}/?fake=${scene}&theme=${scheme}`);
  await page.waitForFunction((name) => document.documentElement.dataset.scene === name, scene, { timeout: 15_000 });
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(120);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wider > 0) faults.push(`${where}: ${wider} px wider than the window`);
  await page.screenshot({ path: join(out, `${scene}-${size}-${theme}.png`) });
  await context.close();
}

const scenes = wanted.length > 0 ? wanted : await names();
const themes = (scene) => (CONTRAST.includes(scene) ? ['light', 'dark', 'contrast'] : ['light', 'dark']);
const jobs = scenes.flatMap((scene) => sizes(scene).flatMap((size) => themes(scene).map((theme) => [scene, size, theme])));
let done = 0;
async function worker() {
  for (let job = jobs.shift(); job; job = jobs.shift()) {
    try {
      await picture(...job);
    } catch (error) {
      faults.push(`${job.join(' ')}: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
    }
    done += 1;
  }
}
await Promise.all([worker(), worker(), worker()]);
await browser.close();
server.close();
console.log(`${done} pictures of ${scenes.length} scenes in ${out}`);
for (const fault of faults) console.error(fault);
process.exit(faults.length > 0 ? 1 : 0);
