// Writes src/parts/emoji/{en,de}.json: per group, emoji and the words that find it.
// Run after updating emojibase-data: node scripts/emoji.mjs
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const COMPONENTS = 2; // The group of skin tones and hair: no emoji of their own.

mkdirSync(new URL('../src/parts/emoji/', import.meta.url), { recursive: true });
for (const language of ['en', 'de']) {
  const all = JSON.parse(readFileSync(require.resolve(`emojibase-data/${language}/data.json`), 'utf8'));
  const groups = new Map();
  for (const one of all) {
    if (one.group === undefined || one.group === COMPONENTS || one.version > 15) continue;
    const group = groups.get(one.group) ?? [];
    const words = [one.label, ...(one.tags ?? [])].join(' ');
    group.push([one.order, one.emoji, [...new Set(words.toLowerCase().split(/\s+/))].join(' ')]);
    groups.set(one.group, group);
  }
  const sorted = [...groups.entries()]
    .sort((a, b) => a[0] - b[0])
    .map(([, list]) => list.sort((a, b) => a[0] - b[0]).map(([, emoji, words]) => [emoji, words]));
  writeFileSync(new URL(`../src/parts/emoji/${language}.json`, import.meta.url), JSON.stringify(sorted));
}
