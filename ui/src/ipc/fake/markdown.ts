/** A small stand-in for the parser in Rust: enough for scenes, not for hostile depth. */
import type { Block, Inline } from '../bindings';

const INLINE = /(`[^`]+`)|(\*\*[^*]+\*\*)|(\*[^*]+\*)|(~~[^~]+~~)|(https:\/\/[^\s)]+)/;

export function inlines(text: string): Inline[] {
  const out: Inline[] = [];
  let rest = text;
  for (;;) {
    const hit = INLINE.exec(rest);
    if (!hit) break;
    if (hit.index > 0) out.push(...lines(rest.slice(0, hit.index)));
    const found = hit[0];
    if (hit[1]) out.push({ type: 'code', text: found.slice(1, -1) });
    else if (hit[2]) out.push({ type: 'strong', inlines: inlines(found.slice(2, -2)) });
    else if (hit[3]) out.push({ type: 'emphasis', inlines: inlines(found.slice(1, -1)) });
    else if (hit[4]) out.push({ type: 'strike', inlines: inlines(found.slice(2, -2)) });
    else out.push({ type: 'link', href: found, inlines: [{ type: 'text', text: found }] });
    rest = rest.slice(hit.index + found.length);
  }
  if (rest) out.push(...lines(rest));
  return out;
}

function lines(text: string): Inline[] {
  return text
    .split('\n')
    .flatMap((line, i): Inline[] => [...(i > 0 ? [{ type: 'break' } as const] : []), ...(line ? [{ type: 'text' as const, text: line }] : [])]);
}

export function blocks(text: string): Block[] {
  return text.split(/\n\n+/).map((part): Block => {
    const code = /^```(\w*)\n([\s\S]*?)\n?```$/.exec(part);
    if (code) return { type: 'code', language: code[1] ?? '', text: code[2] ?? '' };
    const rows = part.split('\n');
    if (rows.every((row) => row.startsWith('> '))) return { type: 'quote', blocks: blocks(rows.map((row) => row.slice(2)).join('\n')) };
    if (rows.every((row) => /^[-*] /.test(row))) return { type: 'list', start: null, items: rows.map((row) => blocks(row.slice(2))) };
    if (rows.every((row) => /^\d+\. /.test(row)))
      return { type: 'list', start: Number.parseInt(part, 10), items: rows.map((row) => blocks(row.replace(/^\d+\. /, ''))) };
    return { type: 'paragraph', inlines: inlines(part) };
  });
}
