// @vitest-environment node
import { build, type Rollup } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';

type File = { name: string; text: string };
let files: File[] = [];

beforeAll(async () => {
  // The test runner's own mode would count as development.
  process.env.NODE_ENV = 'production';
  const built = (await build({ logLevel: 'silent', mode: 'production', build: { write: false } })) as unknown as { output: Rollup.OutputBundle[string][] };
  files = built.output.map((one) => ({
    name: one.fileName,
    text: one.type === 'chunk' ? one.code : typeof one.source === 'string' ? one.source : '',
  }));
}, 120_000);

const naming = (list: File[], found: RegExp) => list.filter((file) => found.test(file.text)).map((file) => file.name);
const of = (ending: string) => files.filter((file) => file.name.endsWith(ending));

describe('the built page', () => {
  it('has no inline script, style or handler', () => {
    const pages = of('.html');
    expect(pages.map((page) => page.name).sort()).toEqual(['index.html', 'ringing.html']);
    for (const page of pages) {
      expect(page.text).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
      for (const tag of page.text.match(/<script[^>]*>[^<]*/g) ?? []) expect(tag).toMatch(/^<script[^>]*src="\/[^"]+"[^>]*>\s*$/);
    }
  });

  it('needs no wider policy than its own files', () => {
    expect(naming(of('.js'), /\beval\(|new Function\(|blob:|data:[a-z]+\//)).toEqual([]);
    expect(naming(of('.css'), /data:|https?:\/\/|@import/)).toEqual([]);
  });

  it('leaves the fake out', () => {
    expect(naming(of('.js'), /Kitchen build|correct horse battery|sceneNames/)).toEqual([]);
  });

  it.each(['index.html', 'ringing.html'])('%s starts small', (name) => {
    const page = of('.html').find((file) => file.name === name)?.text ?? '';
    const first = of('.js').filter((file) => page.includes(file.name));
    const size = first.reduce((sum, file) => sum + Buffer.byteLength(file.text), 0);
    expect(first.length).toBeGreaterThan(0);
    expect(size).toBeLessThan(200 * 1024);
  });
});
