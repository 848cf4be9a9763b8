/**
 * SOCKS5 UDP through several servers: each is asked for a relay over a TCP connection through the ones before it,
 * and each relay is the destination of what the relay before it is sent.
 *
 * Does: hold all control connections; the end of any is the end of the association. Must not: send or have sent
 * datagrams to any address but the servers' own, whatever they say (S50).
 */
import type { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { socksAddress } from '../relay/udp-address.ts';
import type { Stumble } from './attempt.ts';
import { withDeadline } from './connection.ts';
import type { JourneyOptions } from './journey.ts';
import { ask, watch, type AssociateOptions, type Granted, type UdpRelay } from './udp-associate.ts';

/** A UDP association through one or more SOCKS5 servers, until `close` or `onEnd`. */
export interface ChainAssociation {
  /** Where datagrams are sent to: the relay of the first server. */
  readonly relay: UdpRelay;
  /**
   * The relays of the further servers in the form of SOCKS5 (ATYP, address, port): destinations of the headers that
   * go in front of the header with the real destination, outermost first. Empty with one server.
   */
  readonly layers: readonly Buffer[];
  readonly via: string;
  /** The host's interface that its datagrams have to leave by, as its connections have. */
  readonly egress?: string;
  /** Ends the association; `onEnd` is not called for it. */
  close(): void;
}

type Result =
  { readonly ok: true; readonly value: ChainAssociation } | { readonly ok: false; stumble: Stumble };

/** Asks every server of a path, which are all SOCKS5, one after the other. */
export async function associateThrough(
  upstreams: readonly Upstream[],
  via: string,
  options: AssociateOptions & JourneyOptions,
): Promise<Result> {
  const limited = withDeadline(options);
  const all: Granted[] = [];
  for (const at of upstreams.keys()) {
    const result = await ask(upstreams.slice(0, at + 1), limited);
    if (!result.ok) {
      for (const { control } of all) control.destroy();
      return result;
    }
    all.push(result.granted);
  }
  const [first, ...further] = all.map(({ relay }) => relay);
  if (first === undefined) throw new Error('a path without a server');
  const close = watchAll(all, options.onEnd);
  const relay = { address: first.host, port: first.port };
  return { ok: true, value: { relay, layers: further.map(socksAddress), via, close } };
}

/** The end of any control connection ends the others; one that came before they are watched is told at once. */
function watchAll(all: readonly Granted[], onEnd?: (cause: CulvertError) => void): () => void {
  let isOver = false;
  const closers = all.map(({ control }) =>
    watch(control, (cause) => {
      if (isOver) return;
      closeAll();
      onEnd?.(cause);
    }),
  );
  const closeAll = (): void => {
    isOver = true;
    for (const close of closers) close();
  };
  return closeAll;
}
