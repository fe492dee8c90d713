// @vitest-environment node
/**
 * Which sentences of the catalogs nobody says. It reads the sources as they are written here: `t().call.leave`, or
 * `text.leave` after `const text = $derived(t().call)`. Where a key is computed, all beside it count as said.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { en } from './en';

type Branch = { [key: string]: unknown };
/** A name in a source, and which branch of the catalog it stands for. */
type Alias = { name: string; path: string[] };

const keys = (chain = '') => chain.split(/\??\./).filter(Boolean);
const isBranch = (value: unknown): value is Branch => typeof value === 'object' && value !== null && !Array.isArray(value);

function leaves(value: unknown, path: string[] = []): string[] {
  return isBranch(value) ? Object.entries(value).flatMap(([key, one]) => leaves(one, [...path, key])) : [path.join('.')];
}

const DEFINED = /const\s+(\w+)\s*=\s*(?:\$derived\()?t\(\)((?:\.\w+)+)\)?\s*[;}]/g;
const TAKEN = /\{\s*(\w+):\s*(\w+)\s*\}:\s*Catalog\b/g;

function aliases(source: string): Alias[] {
  const named = [...source.matchAll(DEFINED)].map(([, name = '', chain]) => ({ name, path: keys(chain) }));
  const taken = [...source.matchAll(TAKEN)].map(([, key = '', name = '']) => ({ name, path: [key] }));
  const whole = /\bt: Catalog\b/.test(source) ? [{ name: 't', path: [] }] : [];
  return [...named, ...taken, ...whole, { name: 't()', path: [] }];
}

/** What of the catalog a source says, as paths. */
function said(source: string): string[] {
  const known = aliases(source);
  // A name that is given to a branch says nothing of it yet.
  const rest = source.replace(DEFINED, '').replace(TAKEN, '');
  return known.flatMap(({ name, path }) => {
    const uses = rest.matchAll(new RegExp(`(?<![\\w.$])${name.replace('()', '\\(\\)')}((?:\\??\\.\\w+)+|\\[)`, 'g'));
    return [...uses].flatMap(([, chain]) => reached([...path, ...keys(chain === '[' ? '' : chain)]));
  });
}

/** The sentence at a path, or all of a branch. What lies beyond a sentence is no more than its letters. */
function reached(path: string[]): string[] {
  let at: unknown = en;
  for (const [depth, key] of path.entries()) {
    if (!isBranch(at)) return [path.slice(0, depth).join('.')];
    if (!(key in at)) return [];
    at = at[key];
  }
  return leaves(at, path);
}

it('every sentence of the catalog is said somewhere', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.(svelte|ts)$/.test(name) && !/\.test\.ts$|^ipc\/fake\/|^text\/(en|de)\.ts$/.test(name));
  const used = new Set(sources.flatMap((name) => said(readFileSync(`src/${name}`, 'utf8'))));
  expect(leaves(en).filter((path) => !used.has(path))).toEqual([]);
});

it('a sentence that is only named alike elsewhere is not said', () => {
  expect(said('const text = $derived(t().call.share); level.ask; emoji.search; text.start')).toEqual(['call.share.start']);
  expect(said('t().sidebar.filter')).toEqual(['sidebar.filter']);
  expect(said('const text = t().call; text.ends[why]')).toContain('call.ends.full');
});
