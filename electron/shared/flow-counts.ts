/** Figures of flows as a `flows` event tells them: id, bytes up and bytes down, one after another. Plain functions. */

/** Calls back for each flow. */
export function eachCount(
  counted: ArrayLike<number>,
  heard: (id: number, bytesUp: number, bytesDown: number) => void,
): void {
  for (let at = 0; at + 2 < counted.length; at += 3)
    heard(counted[at] ?? 0, counted[at + 1] ?? 0, counted[at + 2] ?? 0);
}
