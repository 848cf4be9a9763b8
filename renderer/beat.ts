/** A rhythm for what is drawn anew as things change: soon, but not too often, and now and then without a change. */

export interface Beat {
  /** Something has changed: draws when enough time has passed since the last picture. */
  readonly soon: () => void;
  /** Draws at once. */
  readonly now: () => void;
  /** Until the next `now` nothing is drawn. */
  readonly stop: () => void;
}

/** Draws at least `leastMs` and at most `mostMs` apart, once `now` was called. */
export function makeBeat(draw: () => void, { leastMs, mostMs }: { leastMs: number; mostMs: number }): Beat {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let isBeating = false;

  function now(): void {
    clearTimeout(timer);
    isBeating = true;
    drawnAt = performance.now();
    timer = setTimeout(now, mostMs);
    draw();
  }

  function soon(): void {
    if (!isBeating) return;
    const waitMs = drawnAt + leastMs - performance.now();
    clearTimeout(timer);
    if (waitMs <= 0) now();
    else timer = setTimeout(now, waitMs);
  }

  function stop(): void {
    isBeating = false;
    clearTimeout(timer);
  }

  return { soon, now, stop };
}
