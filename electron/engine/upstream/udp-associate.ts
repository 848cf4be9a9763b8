/**
 * SOCKS5 UDP ASSOCIATE (RFC 1928 §7): the control connection and where datagrams go.
 *
 * Does: asks, judges the relay address (S50) and watches the control connection, whose end is the end of
 * the association. Must not: send datagrams to any address but the proxy's own, whatever the proxy says.
 */
import type { Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import type { Upstream } from '#shared/model.ts';
import type { Stumble } from './attempt.ts';
import type { DialOptions } from './connection.ts';
import { destinationOf, kindOf, type Destination } from './destination.ts';
import { travel, type JourneyOptions } from './journey.ts';

export interface UdpRelay {
  /** The proxy's own address as connected, textual; an IPv4-mapped one as IPv4. */
  readonly address: string;
  readonly port: number;
}

export interface UdpAssociation {
  readonly control: Socket;
  readonly relay: UdpRelay;
  /** Ends the association; `onEnd` is not called for it. */
  close(): void;
}

export interface AssociateOptions extends DialOptions {
  /** Called once when the association ends other than by `close`. */
  readonly onEnd?: (cause: CulvertError) => void;
}

/** What the last of some servers granted; `relay` is where that one takes datagrams. */
export interface Granted {
  readonly control: Socket;
  readonly relay: Destination;
}

type Result = { readonly ok: true; readonly granted: Granted } | { readonly ok: false; stumble: Stumble };

/** What a SOCKS5 server answers as its own end. */
interface Bound {
  readonly type: number;
  readonly address: Buffer;
  readonly port: number;
}

/** Time until probes are sent on a silent control connection, to notice a proxy that vanished. */
const keepAliveMs = 30_000;

/**
 * Asks the upstream for a UDP relay. Rejects with `udp-not-offered` when it cannot or will not, with
 * `proxy-protocol-error` for a relay elsewhere, and like `dial` for everything else.
 */
export async function udpAssociate(
  upstream: Upstream,
  options: AssociateOptions = {},
): Promise<UdpAssociation> {
  if (upstream.kind !== 'socks5') {
    throw new CulvertError('udp-not-offered', { detail: phrase('proxy.tcp-only', { kind: upstream.kind }) });
  }
  const result = await ask([upstream], options);
  if (!result.ok) throw result.stumble.reason;
  const { control, relay } = result.granted;
  return { control, relay: { address: relay.host, port: relay.port }, close: watch(control, options.onEnd) };
}

/** Asks the last of some SOCKS5 servers, through those before it. Does not watch yet. */
export async function ask(upstreams: readonly Upstream[], options: JourneyOptions): Promise<Result> {
  const { outcome, last } = await travel(upstreams, 'associate', options);
  if (!outcome.ok) return outcome;
  const { socket: control } = outcome.dialled;
  const server = upstreams.at(-1);
  try {
    if (last === undefined || server === undefined) throw new Error('connected without a dialogue');
    const bound = last.bound();
    if (upstreams.length > 1) return { ok: true, granted: { control, relay: farRelayOf(bound, server) } };
    const { address, port } = relayOf(bound, control.remoteAddress);
    return { ok: true, granted: { control, relay: { host: address, port, kind: kindOf(address) } } };
  } catch (reason) {
    control.destroy();
    return { ok: false, stumble: { reason, at: upstreams.length - 1, stage: 'request', hasSpoken: true } };
  }
}

/** The relay that an answer names, for a proxy connected at `ownAddress`. Throws `proxy-protocol-error`. */
export function relayOf(bound: Bound, ownAddress: string | undefined): UdpRelay {
  if (ownAddress === undefined)
    throw new CulvertError('proxy-closed', { detail: phrase('proxy.closed-after-yes') });
  const own = ipaddr.process(ownAddress).toString();
  const named = namedBy(bound) ?? own;
  if (named !== own) throw elsewhere(phrase('proxy.relay-elsewhere', { named, own }));
  return { address: own, port: bound.port };
}

/**
 * The same for a server behind others, of which there is only what the user wrote. Where that is a name, the
 * address in the answer cannot be compared with anything; the relay is then at the name.
 */
export function farRelayOf(bound: Bound, { host }: Pick<Upstream, 'host'>): Destination {
  const named = namedBy(bound);
  if (kindOf(host) === 'name') return destinationOf(host, bound.port);
  const own = ipaddr.process(host).toString();
  if (named !== undefined && named !== own) throw elsewhere(phrase('proxy.relay-elsewhere', { named, own }));
  return destinationOf(own, bound.port);
}

/** The address in an answer; undefined for 0.0.0.0 and ::, which mean the server's own. */
function namedBy({ type, address, port }: Bound): string | undefined {
  if (type === 3) throw elsewhere(phrase('proxy.relay-named'));
  if (port === 0) throw elsewhere(phrase('proxy.relay-without-port'));
  if (address.every((byte) => byte === 0)) return undefined;
  return ipaddr.process(ipaddr.fromByteArray([...address]).toString()).toString();
}

/** Tells the end of a control connection, other than by the function that it answers, which closes it. */
export function watch(control: Socket, onEnd?: (cause: CulvertError) => void): () => void {
  let isClosed = false;
  let why = phrase('proxy.control-closed');
  control.on('error', (error: NodeJS.ErrnoException) => {
    why = phrase('proxy.control-failed', { words: error.code ?? error.message });
  });
  control.on('end', () => control.destroy());
  control.on('close', () => {
    if (!isClosed) onEnd?.(new CulvertError('proxy-closed', { step: 'UDP association', detail: why }));
  });
  control.setKeepAlive(true, keepAliveMs);
  // Nothing is said on it any more; it is read, and what comes dropped, only to see its end.
  control.resume();
  return () => {
    isClosed = true;
    control.destroy();
  };
}

function elsewhere(detail: Phrase): CulvertError {
  return new CulvertError('proxy-protocol-error', { detail });
}
