// @vitest-environment node
import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { testids } from './testids';

const known = new Set<string>(testids);
const used = new Set<string>();
for (const name of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.svelte')) continue;
  const source = readFileSync(`src/${name}`, 'utf8');
  for (const hit of source.matchAll(/(?:data-testid|testid)(?:="|:\s*'|=\{")([\w-]+)["']/g)) used.add(hit[1]!);
}

it('every id in a component is listed', () => {
  expect([...used].filter((id) => !known.has(id))).toEqual([]);
});

it('every listed id is in a component, or made from one', () => {
  const made = (id: string) => [...used].some((one) => id.startsWith(`${one}-`)) || /^(unlock|settings|device)-/.test(id);
  expect(testids.filter((id) => !used.has(id) && !made(id))).toEqual([]);
});
