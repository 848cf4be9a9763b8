/**
 * What the app gets from its caller: written by the engine into a memory file, read by culvert-launch
 * after it has given up every privilege (S28). The format is NUL-terminated strings, in this order:
 *
 *   "CVL1", umask (octal), ignored signals (hex, bit n-1 for signal n), limits ("7:1024:20000,…" as
 *   resource:soft:hard, -1 for infinity, getrlimit(2) numbers), working directory, argc (decimal),
 *   argc arguments, then the environment until the end of the file.
 */
export interface LaunchPayload {
  readonly umask: number;
  /** Signals that the caller ignores, as the mask in the SigIgn line of /proc/PID/status. */
  readonly ignoredSignals: bigint;
  readonly limits: readonly { resource: number; soft: bigint; hard: bigint }[];
  readonly cwd: string;
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** Bytes at most, a little below what the kernel takes for argv and environment together (execve(2)). */
export const maxPayloadBytes = 4 * 1024 * 1024;

/** Writes the payload. Throws a RangeError for NUL bytes inside a string or when it is too large. */
export function encodeLaunchPayload(payload: LaunchPayload): Buffer {
  const strings = [
    'CVL1',
    payload.umask.toString(8),
    payload.ignoredSignals.toString(16),
    payload.limits.map(({ resource, soft, hard }) => `${resource}:${soft}:${hard}`).join(','),
    payload.cwd,
    String(payload.argv.length),
    ...payload.argv,
    ...Object.entries(payload.env).map(([name, value]) => `${name}=${value}`),
  ];
  if (strings.some((text) => text.includes('\0'))) {
    throw new RangeError('an argument or environment variable contains a NUL byte');
  }
  const encoded = Buffer.from(strings.map((text) => `${text}\0`).join(''));
  if (encoded.length > maxPayloadBytes) {
    throw new RangeError('arguments and environment together are too large');
  }
  return encoded;
}
