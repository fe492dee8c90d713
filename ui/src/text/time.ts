/** Dates and spans in the words of a language. Times are Unix milliseconds. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(language, options)));
  return found;
}

/** Midnight before, in local time. */
export function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

function daysBetween(from: number, to: number): number {
  return Math.round((startOfDay(to) - startOfDay(from)) / DAY);
}

export function clock(language: string, at: number): string {
  return format(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
}

export function full(language: string, at: number): string {
  return format(language, { dateStyle: 'full', timeStyle: 'short' }).format(at);
}

export function date(language: string, at: number, now: number): string {
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return format(language, { day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }) }).format(at);
}

/** As short as a list wants it: a time today, a weekday this week, else a date. */
export function short(language: string, at: number, now: number): string {
  const days = daysBetween(at, now);
  if (days <= 0) return clock(language, at);
  if (days < 7) return format(language, { weekday: 'short' }).format(at);
  return date(language, at, now);
}

/** Heading of a day in a timeline; today and yesterday are the catalog's words. */
export function day(language: string, at: number, now: number, words: { today: string; yesterday: string }): string {
  const days = daysBetween(at, now);
  if (days === 0) return words.today;
  if (days === 1) return words.yesterday;
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return format(language, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(sameYear ? {} : { year: 'numeric' }),
  }).format(at);
}

/** "6 days", "3 hours", "1 minute": the largest unit, at least one minute. */
export function span(language: string, ms: number): string {
  const [value, unit] =
    ms >= DAY ? [ms / DAY, 'day'] : ms >= HOUR ? [ms / HOUR, 'hour'] : [Math.max(1, ms / MINUTE), 'minute'];
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: unit as string,
    unitDisplay: 'long',
    maximumFractionDigits: 0,
  }).format(Math.round(value as number));
}

/** The symbol is the same in every language; a no-break space keeps it with its number. */
export function seconds(language: string, count: number): string {
  return `${new Intl.NumberFormat(language).format(count)}\u00a0s`;
}

export function list(language: string, names: string[]): string {
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(names);
}

/** How long a call lasted: "42 sec", "12 min", "1 hr 5 min". */
export function lasting(language: string, ms: number): string {
  const unit = (value: number, name: 'second' | 'minute' | 'hour') =>
    new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: 0 }).format(value);
  if (ms < MINUTE) return unit(Math.max(1, Math.round(ms / 1000)), 'second');
  if (ms < HOUR) return unit(Math.round(ms / MINUTE), 'minute');
  const minutes = Math.round((ms % HOUR) / MINUTE);
  return minutes === 0 ? unit(Math.floor(ms / HOUR), 'hour') : `${unit(Math.floor(ms / HOUR), 'hour')} ${unit(minutes, 'minute')}`;
}

/** A running clock: 0:07, 12:41, 1:02:33. */
export function running(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
