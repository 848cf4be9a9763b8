/**
 * This computer's own address as others see it. Sends one request outside of any proxy: only for those who asked
 * for that.
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import type { DialOptions } from '../upstream/connection.ts';
import { authorityOf, destinationOf } from '../upstream/destination.ts';
import { dialDirect } from '../upstream/dial.ts';
import { resolveDirect } from '../ways/direct-way.ts';
import { within } from './limit.ts';
import type { Probe } from './probe.ts';
import { askWeb } from './web-request.ts';

const wholeMs = 4000;

export interface OwnAddressOptions extends Pick<DialOptions, 'socketFor'> {
  readonly family: 4 | 6;
  readonly signal: AbortSignal;
}

/**
 * The address of the same family as the one that it is to be compared with: a computer has one of each. Rejects with
 * `probe-unreachable`, `destination-unreachable`, or with the reason of the signal.
 */
export async function ownAddress(
  { url, web }: Pick<Probe, 'url' | 'web'>,
  { family, signal, socketFor }: OwnAddressOptions,
): Promise<string> {
  const late = (): Error =>
    new CulvertError('probe-unreachable', {
      detail: phrase('test.page-late', { where: authorityOf(web), seconds: wholeMs / 1000 }),
    });
  const answer = await within(wholeMs, signal, late, async (limit) => {
    const options = { deadlineMs: wholeMs, signal: limit, ...(socketFor === undefined ? {} : { socketFor }) };
    const destination = destinationOf(await resolveDirect(web, family), web.port);
    return askWeb(await dialDirect(destination, options), url, limit);
  });
  if (answer.address !== undefined) return answer.address;
  throw new CulvertError('probe-unreachable', { detail: phrase('test.exit-unsaid') });
}
