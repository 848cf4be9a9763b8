/**
 * SOCKS5 UDP ASSOCIATE (RFC 1928 §7): the control connection and where datagrams go.
 *
 * Does: asks, judges the relay address (S50) and watches the control connection, whose end is the end of
 * the association. Must not: send datagrams to any address but the proxy's own, whatever the proxy says.
 */
import type { Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { connect, type DialOptions } from './connection.ts';
import { peerOf } from './dial.ts';
import { SocksDialogue } from './socks.ts';

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
    throw new CulvertError('udp-not-offered', { detail: `${upstream.kind} proxies carry TCP only` });
  }
  let dialogue: SocksDialogue | undefined;
  const { socket } = await connect(
    peerOf(upstream),
    (send) => (dialogue = new SocksDialogue(upstream, 'associate', send)),
    options,
  );
  try {
    if (dialogue === undefined) throw new Error('connected without a dialogue');
    return watch(socket, relayOf(dialogue.bound(), socket.remoteAddress), options.onEnd);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The relay that an answer names, for a proxy connected at `ownAddress`. Throws `proxy-protocol-error`. */
export function relayOf(
  bound: { readonly type: number; readonly address: Buffer; readonly port: number },
  ownAddress: string | undefined,
): UdpRelay {
  if (ownAddress === undefined)
    throw new CulvertError('proxy-closed', { detail: 'closed right after its yes' });
  if (bound.type === 3) throw elsewhere('its UDP relay is given by a name');
  if (bound.port === 0) throw elsewhere('its UDP relay has port 0');
  const own = ipaddr.process(ownAddress).toString();
  const isUnspecified = bound.address.every((byte) => byte === 0);
  const named = isUnspecified
    ? own
    : ipaddr.process(ipaddr.fromByteArray([...bound.address]).toString()).toString();
  if (named !== own) throw elsewhere(`its UDP relay is at ${named}, not at its own address ${own}`);
  return { address: own, port: bound.port };
}

function watch(control: Socket, relay: UdpRelay, onEnd?: (cause: CulvertError) => void): UdpAssociation {
  let isClosed = false;
  let why = 'the proxy closed the control connection';
  control.on('error', (error: NodeJS.ErrnoException) => {
    why = `control connection: ${error.code ?? 'failed'}`;
  });
  control.on('end', () => control.destroy());
  control.on('close', () => {
    if (!isClosed) onEnd?.(new CulvertError('proxy-closed', { step: 'UDP association', detail: why }));
  });
  control.setKeepAlive(true, keepAliveMs);
  // Nothing is said on it any more; it is read, and what comes dropped, only to see its end.
  control.resume();
  return {
    control,
    relay,
    close: () => {
      isClosed = true;
      control.destroy();
    },
  };
}

function elsewhere(detail: string): CulvertError {
  return new CulvertError('proxy-protocol-error', { detail });
}
