/** A time-limit for something that takes an AbortSignal. */

/**
 * Runs it with a signal that aborts with `late()` after that many milliseconds, or with the outer signal's reason.
 * Does not wait longer than that for it, whatever it makes of the signal.
 */
export async function within<T>(
  ms: number,
  outer: AbortSignal,
  late: () => Error,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const timer = setTimeout(() => own.abort(late()), ms);
  const signal = AbortSignal.any([own.signal, outer]);
  try {
    return await new Promise<T>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
      run(signal).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    // Whatever is still under way is given up.
    own.abort();
  }
}
