/** Where a resolver is, as people write it. Pure. */
import { CulvertError } from '#shared/failure.ts';
import { addressAndPort, destinationOf, type Destination } from '../upstream/destination.ts';

/** `address`, `address:port` or `[address]:port`; a name would have to be looked up first. Throws `option-invalid`. */
export function resolverDestination(text: string): Destination {
  const read = addressAndPort(text);
  if (read === undefined) {
    const detail = `the resolver “${text}” is not of the form address or address:port`;
    throw new CulvertError('option-invalid', { detail });
  }
  return destinationOf(read.host, read.port ?? 53);
}
