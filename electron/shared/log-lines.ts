/** The lines of an engine's log as they are read: as entries, and in words. Pure. */
export type LogEntry = Readonly<Record<string, unknown>>;

/** What a line says. A line that is not whole, as after a full disk, is none. */
export function entryOf(line: string): LogEntry | undefined {
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === 'object' && value !== null ? (value as LogEntry) : undefined;
  } catch {
    return undefined;
  }
}

/** What an entry tells beside its event and its time: `lane=12-1 app=curl`. */
export function tellsOf({ at, pid, event, ...fields }: LogEntry): string {
  void at;
  void event;
  return Object.entries({ ...fields, ...('lane' in fields ? {} : { engine: pid }) })
    .map(([key, value]) => `${key}=${formatValue(value)}`)
    .join(' ');
}

function formatValue(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** `2026-02-03 04:05:06`, in the time of this computer. */
export function formatTime(at: unknown): string {
  const date = new Date(typeof at === 'string' ? at : Number.NaN);
  if (Number.isNaN(date.getTime())) return '-'.padEnd(19);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}
