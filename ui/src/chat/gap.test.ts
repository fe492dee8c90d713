import { render, screen } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import type { GapWhy } from '../ipc/bindings';
import { en } from '../text/en';
import Gap from './Gap.svelte';

it.each<[GapWhy, number, string]>([
  ['expired', 37, en.timeline.gapExpired(37)],
  ['expired', 0, en.timeline.gapExpiredSome],
  ['unreadable', 1, en.timeline.gapUnreadable(1)],
  ['splitView', 0, en.timeline.gapSplitView],
])('a gap that is %s (%i) says so', (why, count, words) => {
  render(Gap, { count, why });
  expect(screen.getByTestId('gap').textContent.trim()).toBe(words);
});
