/** A tooltip: one floating line for the whole page, text only, shown on hover and keyboard focus. */
import type { Attachment } from 'svelte/attachments';

const WAIT = 450;
const EDGE = 8;

let box: HTMLElement | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let shownFor: Element | null = null;

function show(over: HTMLElement, text: string): void {
  if (!over.isConnected) return;
  box ??= Object.assign(document.createElement('div'), { className: 'tip' });
  box.textContent = text;
  box.setAttribute('aria-hidden', 'true');
  // Inside an open dialog only its own content is above the backdrop.
  (over.closest('dialog') ?? document.body).append(box);
  const at = over.getBoundingClientRect();
  const own = box.getBoundingClientRect();
  const below = at.bottom + 6 + own.height < innerHeight - EDGE;
  const left = Math.min(Math.max(EDGE, at.left + at.width / 2 - own.width / 2), innerWidth - own.width - EDGE);
  box.style.left = `${left}px`;
  box.style.top = `${below ? at.bottom + 6 : at.top - own.height - 6}px`;
  shownFor = over;
}

function hide(): void {
  clearTimeout(timer);
  box?.remove();
  shownFor = null;
}

export function tip(text: string | null): Attachment<HTMLElement> {
  return (over) => {
    if (!text) return;
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => show(over, text), WAIT);
    };
    const focused = () => {
      if (over.matches(':focus-visible')) soon();
    };
    over.addEventListener('pointerenter', soon);
    over.addEventListener('focus', focused);
    over.addEventListener('pointerleave', hide);
    over.addEventListener('pointerdown', hide);
    over.addEventListener('blur', hide);
    return () => {
      over.removeEventListener('pointerenter', soon);
      over.removeEventListener('focus', focused);
      over.removeEventListener('pointerleave', hide);
      over.removeEventListener('pointerdown', hide);
      over.removeEventListener('blur', hide);
      if (shownFor === over) hide();
    };
  };
}
