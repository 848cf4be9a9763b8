/** Which profiles the list shows, and in which order. Pure. */

/** A profile as the list shows it. */
export interface ProfileRow {
  readonly id: string;
  readonly name: string;
  readonly colour: string;
  readonly letter: string;
  /** Where it leads, in a few words. */
  readonly address: string;
  readonly isDefault: boolean;
  /** What was typed is not saved. */
  readonly isChanged: boolean;
}

/** Those in whose name or address every typed word occurs. */
export function matching<T extends Pick<ProfileRow, 'name' | 'address'>>(
  rows: readonly T[],
  typed: string,
): T[] {
  const words = typed.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(({ name, address }) => {
    const text = `${name} ${address}`.toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The fastest first; those that were not reached, or not tested, behind them in their order. */
export function byLatency<T extends Pick<ProfileRow, 'id'>>(
  rows: readonly T[],
  latencies: ReadonlyMap<string, number>,
): T[] {
  const of = ({ id }: T): number => latencies.get(id) ?? Infinity;
  return rows.toSorted((one, other) => (of(one) === of(other) ? 0 : of(one) - of(other)));
}
