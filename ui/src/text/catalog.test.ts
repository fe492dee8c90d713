// @vitest-environment node
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { de } from './de';
import { en } from './en';
import { languageOf } from './index.svelte';
import { explain, sentence, typingWords } from './words';

function shape(value: unknown, path = ''): string[] {
  if (typeof value === 'function') return [`${path}()`];
  if (Array.isArray(value)) return [`${path}[${value.length}]`];
  if (typeof value === 'object' && value !== null) return Object.entries(value).flatMap(([key, one]) => shape(one, `${path}.${key}`));
  return [path];
}

function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value === 'object' && value !== null) return Object.entries(value).flatMap(([key, one]) => leaves(one, `${path}.${key}`));
  return [[path, value]];
}

const components = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.svelte'));

/** Text between tags and in attributes that people see or hear. */
function bareWords(source: string): string[] {
  const markup = source
    .replace(/<script[\s\S]*?<\/script>/g, '')
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/<!--[\s\S]*?-->/g, '');
  const seen = [...markup.matchAll(/\s(?:title|label|placeholder|aria-label|alt|hint|text|what|then)="([^"{]*\p{L}{2}[^"]*)"/gu)].map((hit) => hit[1]!);
  let depth = 0;
  let inTag = false;
  let words = '';
  for (const [at, char] of [...markup].entries()) {
    const next = markup[at + 1] ?? '';
    if (char === '{') depth += 1;
    else if (char === '}') depth -= 1;
    else if (depth === 0 && char === '<' && /[a-z/A-Z]/.test(next)) inTag = true;
    else if (depth === 0 && char === '>' && inTag) {
      inTag = false;
      words += '\n';
    } else if (depth === 0 && !inTag) words += char;
  }
  return [...seen, ...(words.match(/\p{L}{2,}[^\n]*/gu) ?? [])];
}

describe('the catalogs', () => {
  it('have the same keys in both languages', () => {
    expect(shape(de).sort()).toEqual(shape(en).sort());
  });

  it.each([['English', en], ['German', de]] as const)('leave nothing unsaid in %s', (_, catalog) => {
    const silent = leaves(catalog).filter(([path, value]) => value === '' && path !== '.standing.member');
    expect(silent).toEqual([]);
  });

  it('translate every plain sentence', () => {
    const german = new Map(leaves(de));
    const same = leaves(en).filter(([path, text]) => typeof text === 'string' && text.split(' ').length > 3 && german.get(path) === text);
    expect(same).toEqual([]);
  });

  it('say for every error what happened and what to do', () => {
    for (const catalog of [en, de]) {
      for (const fault of Object.values(catalog.errors)) {
        expect(fault.what).toMatch(/[.!]$/);
        expect(fault.then).toMatch(/\.$/);
      }
    }
  });

  it('name the fault of a broken invite link', () => {
    expect(sentence(explain(en, { code: 'badLink', max: null, link: 'expired' }))).toBe(en.links.expired);
    expect(explain(en, { code: 'badLink', max: null, link: null })).toEqual(en.errors.badLink);
  });
});

describe('who is typing', () => {
  it('is named as long as there are two, known or not', () => {
    expect(typingWords(en, [])).toBe('');
    expect(typingWords(en, [null])).toBe('Somebody is typing');
    expect(typingWords(en, ['Bob', 'Carol'])).toBe('Bob and Carol are typing');
    expect(typingWords(en, ['Bob', 'Carol', 'Dan'])).toBe('Several people are typing');
  });
});

describe('the language', () => {
  it('follows the first system language that is known', () => {
    expect(languageOf('system', ['fr-FR', 'de-AT', 'en'])).toBe('de');
    expect(languageOf('system', ['fr-FR'])).toBe('en');
    expect(languageOf('de', ['en-GB'])).toBe('de');
  });
});

describe('components', () => {
  it.each(components)('%s takes its words from the catalog', (name) => {
    expect(bareWords(readFileSync(`src/${name}`, 'utf8'))).toEqual([]);
  });

  it.each(components)('%s writes no markup of its own', (name) => {
    const source = readFileSync(`src/${name}`, 'utf8');
    expect(source).not.toMatch(/\{@html|innerHTML|\sstyle="/);
  });
});
