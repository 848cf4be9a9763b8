/** Figures as text in the user's language. */

const byteUnits = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

const formats = new Map<string, Intl.NumberFormat>();

function numberFormat(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale} ${options.unit ?? ''} ${options.maximumFractionDigits ?? 0}`;
  const known = formats.get(key) ?? new Intl.NumberFormat(locale, options);
  formats.set(key, known);
  return known;
}

/** From kilobytes on: a single byte is of no use to anybody, and says so in a long word. */
function scaled(bytes: number): { value: number; unit: (typeof byteUnits)[number]; digits: number } {
  let value = bytes / 1000;
  let index = 0;
  while (value >= 999.5 && index < byteUnits.length - 1) {
    value /= 1000;
    index += 1;
  }
  return { value, unit: byteUnits[index] ?? 'kilobyte', digits: value > 0 && value < 9.95 ? 1 : 0 };
}

/** Bytes in decimal units: 1.2 MB. */
export function formatBytes(locale: string, bytes: number): string {
  const { value, unit, digits } = scaled(bytes);
  return numberFormat(locale, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: digits,
  }).format(value);
}

/** Bytes a second: 1.2 MB/s. */
export function formatRate(locale: string, bytesPerSecond: number): string {
  const { value, unit, digits } = scaled(bytesPerSecond);
  return numberFormat(locale, {
    style: 'unit',
    unit: `${unit}-per-second`,
    unitDisplay: 'short',
    maximumFractionDigits: digits,
  }).format(value);
}

export function formatCount(locale: string, count: number): string {
  return numberFormat(locale, {}).format(count);
}

/** A length of time by its two largest parts: 2 hr 5 min. */
export function formatDuration(locale: string, ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const part = (value: number, unit: 'second' | 'minute' | 'hour' | 'day'): string =>
    numberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60].map(
    Math.floor,
  );
  if (days) return `${part(days, 'day')} ${part(hours ?? 0, 'hour')}`;
  if (hours) return `${part(hours, 'hour')} ${part(minutes ?? 0, 'minute')}`;
  if (minutes) return `${part(minutes, 'minute')} ${part(seconds % 60, 'second')}`;
  return part(seconds, 'second');
}

/** A moment of today as a time, an earlier one with its date. */
export function formatMoment(locale: string, at: number, now: number): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return new Intl.DateTimeFormat(locale, {
    ...(isToday ? {} : { dateStyle: 'medium' }),
    timeStyle: 'medium',
  }).format(at);
}

/** A short time: 42 ms, from a second on 1.2 s. */
export function formatMilliseconds(locale: string, ms: number): string {
  const isShort = ms < 1000;
  return numberFormat(locale, {
    style: 'unit',
    unit: isShort ? 'millisecond' : 'second',
    unitDisplay: 'short',
    maximumFractionDigits: isShort ? 0 : 1,
  }).format(isShort ? ms : ms / 1000);
}
