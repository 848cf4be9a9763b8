/** Times on the graph and in its tables, as short as their picture allows. */

const hourMs = 3_600_000;
const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${name}`;
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, known);
  return known;
}

/** A moment in a picture: with seconds where they matter, with the day where there are several. */
export function timeText(locale: string, at: number, { from, to }: { from: number; to: number }): string {
  if (to - from > 25 * hourMs)
    return format(locale, 'day', { month: 'short', day: 'numeric', hour: 'numeric' }).format(at);
  if (to - from > hourMs + 60_000) return format(locale, 'minute', { timeStyle: 'short' }).format(at);
  return format(locale, 'second', { timeStyle: 'medium' }).format(at);
}

/** From when to when, with days where they differ. */
export function spanText(locale: string, { from, to }: { from: number; to: number }): string {
  const isOneDay = new Date(from).toDateString() === new Date(to).toDateString();
  const options: Intl.DateTimeFormatOptions = isOneDay
    ? { timeStyle: 'medium' }
    : { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' };
  return format(locale, isOneDay ? 'span' : 'days', options).formatRange(from, to);
}
