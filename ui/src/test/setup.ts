/** What the test browser lacks: layout. Every element is as tall as a row, every scroller as a window. */
import { cleanup, configure } from '@testing-library/svelte';
import { afterEach, vi } from 'vitest';

const TALL = 600;
const ROW = 40;

class Sizes {
  constructor(private readonly report: ResizeObserverCallback) {}
  observe(target: Element): void {
    const height = target.classList.contains('scroll') ? TALL : ROW;
    const entry = { target, contentRect: { width: 800, height } } as unknown as ResizeObserverEntry;
    queueMicrotask(() => this.report([entry], this as unknown as ResizeObserver));
  }
  unobserve(): void {}
  disconnect(): void {}
}

// A component's first import compiles it; on a busy machine that takes its time.
configure({ asyncUtilTimeout: 15_000 });

if (typeof document !== 'undefined') {
  vi.stubGlobal('ResizeObserver', Sizes);
  Object.defineProperty(HTMLElement.prototype, 'offsetParent', { configurable: true, get: () => document.body });
  document.hasFocus = () => true;
}

afterEach(() => {
  // A component's first import compiles it; on a busy machine that takes its time.
configure({ asyncUtilTimeout: 15_000 });

if (typeof document !== 'undefined') cleanup();
  vi.useRealTimers();
});
