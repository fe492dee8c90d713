// @vitest-environment node
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync('src/styles/tokens.css', 'utf8');

function tokens(selector: string): Map<string, string> {
  const found = new Map<string, string>();
  const outside = css.replace(/@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, '');
  for (const block of outside.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    const selectors = block[1]?.replace(/\/\*[\s\S]*?\*\//g, '').split(',') ?? [];
    if (!selectors.some((one) => one.trim() === selector)) continue;
    for (const line of block[2]?.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/gi) ?? []) found.set(line[1]!, line[2]!);
  }
  return found;
}

function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

const light = tokens(':root');
const themes = { light, dark: new Map([...light, ...tokens(":root[data-theme='dark']")]) };

const grounds = ['bg', 'panel', 'raised', 'hover'];
const text: [string, string[]][] = [
  ['text', [...grounds, 'active', 'accent-soft', 'warn-soft', 'bad-soft']],
  ['dim', [...grounds, 'active', 'accent-soft', 'warn-soft', 'bad-soft']],
  ['faint', ['bg', 'panel', 'raised', 'hover']],
  ['accent-text', [...grounds, 'active', 'accent-soft']],
  ['warn-text', [...grounds, 'warn-soft']],
  ['bad-text', [...grounds, 'bad-soft']],
  ['on-accent', ['accent', 'accent-hover']],
  ['on-bad', ['bad', 'bad-hover']],
  ['on-av', Array.from({ length: 12 }, (_, i) => `av-${i}`)],
];
const marks: [string, string[]][] = [
  ['accent', ['bg', 'panel', 'raised']],
  ['control-line', ['bg', 'panel', 'raised']],
  ['good', ['panel', 'raised']],
  ['bad', ['bg', 'raised']],
];

describe.each(Object.entries(themes))('in the %s theme', (_, theme) => {
  const value = (name: string) => {
    const found = theme.get(name);
    if (!found) throw new Error(`no token --${name}`);
    return found;
  };
  it.each(text.flatMap(([over, under]) => under.map((ground) => [over, ground] as const)))(
    '%s is readable on %s',
    (over, ground) => expect(contrast(value(over), value(ground))).toBeGreaterThanOrEqual(4.5),
  );
  it.each(marks.flatMap(([over, under]) => under.map((ground) => [over, ground] as const)))(
    'a mark in %s is seen on %s',
    (over, ground) => expect(contrast(value(over), value(ground))).toBeGreaterThanOrEqual(3),
  );
});
