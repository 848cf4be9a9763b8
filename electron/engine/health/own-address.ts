/**
 * This computer's own address as others see it. Sends one request outside of any proxy: only for those who asked
 * for that.
 */
import { CulvertError } from '#shared/failure.ts';
import type { DialOptions } from '../upstream/connection.ts';
import { authorityOf } from '../upstream/destination.ts';
import { dialDirect } from '../upstream/dial.ts';
import { within } from './limit.ts';
import type { Probe } from './probe.ts';
import { askWeb } from './web-request.ts';

const wholeMs = 4000;

/** Rejects with `probe-unreachable`, or with the reason of the signal. */
export async function ownAddress(
  { url, web }: Pick<Probe, 'url' | 'web'>,
  { signal, socketFor }: { readonly signal: AbortSignal } & Pick<DialOptions, 'socketFor'>,
): Promise<string> {
  const late = (): Error =>
    new CulvertError('probe-unreachable', {
      detail: `no answer of ${authorityOf(web)} within ${wholeMs / 1000} s`,
    });
  const answer = await within(wholeMs, signal, late, async (limit) => {
    const options = { deadlineMs: wholeMs, signal: limit, ...(socketFor === undefined ? {} : { socketFor }) };
    return askWeb(await dialDirect(web, options), url, limit);
  });
  if (answer.address !== undefined) return answer.address;
  throw new CulvertError('probe-unreachable', { detail: 'the page does not say which address it sees' });
}
