/**
 * Other destinations for some (`dnat` of proxychains): the first entry that fits. Addresses only: names are not
 * looked up for it. Pure.
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import { addressAndPort, destinationOf, type Destination } from '../upstream/destination.ts';

interface Place {
  readonly host: string;
  /** All ports where there is none. */
  readonly port: number | undefined;
}

export class Rewrites {
  readonly #entries: readonly { readonly from: Place; readonly to: Place }[];

  /** Throws `rule-invalid` naming the entry. */
  constructor(entries: readonly { readonly from: string; readonly to: string }[]) {
    this.#entries = entries.map(({ from, to }) => ({ from: placeOf(from), to: placeOf(to) }));
  }

  /** The destination itself where no entry fits. */
  apply(destination: Destination): Destination {
    const { host, port } = destination;
    const found = this.#entries.find(
      ({ from }) => from.host === host && (from.port === undefined || from.port === port),
    );
    return found === undefined ? destination : destinationOf(found.to.host, found.to.port ?? port);
  }
}

function placeOf(text: string): Place {
  const place = addressAndPort(text);
  if (place === undefined)
    throw new CulvertError('rule-invalid', { detail: phrase('rule.rewrite-form', { text }) });
  return place;
}
