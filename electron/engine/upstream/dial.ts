/**
 * The way from the engine to a destination: through an upstream, or directly from the host namespace.
 *
 * Does: chooses the dialogue for the kind of upstream. Must not: fall back from one way to another.
 */
import { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { connect, type Dialled, type DialOptions, type Peer } from './connection.ts';
import { checkDestination, kindOf, type Destination } from './destination.ts';
import type { Dialogue, Send } from './dialogue.ts';
import { ConnectDialogue } from './http.ts';
import { SocksDialogue } from './socks.ts';

/**
 * A connection to the destination through the upstream. Rejects with `proxy-unreachable`, `proxy-timeout`,
 * `proxy-sign-in-refused`, `proxy-refused`, `proxy-protocol-error`, `proxy-closed`, `host-name-invalid` or
 * `engine-limit`, or with the reason of the signal.
 */
export function dial(upstream: Upstream, destination: Destination, options?: DialOptions): Promise<Dialled> {
  return connect(peerOf(upstream), (send) => dialogueOf(upstream, destination, send), options);
}

/** A connection from the host namespace; names are looked up by the host's resolver. */
export async function dialDirect(destination: Destination, options?: DialOptions): Promise<Dialled> {
  checkDestination(destination);
  const code = 'destination-unreachable';
  return connect({ ...destination, unreachable: code, timeout: code }, undefined, options);
}

/** The proxy itself as something to connect to. */
export function peerOf(upstream: Upstream): Peer {
  const { host, port } = upstream;
  return { host, port, kind: kindOf(host), unreachable: 'proxy-unreachable', timeout: 'proxy-timeout' };
}

function dialogueOf(upstream: Upstream, destination: Destination, send: Send): Dialogue {
  switch (upstream.kind) {
    case 'socks5':
    case 'socks4':
    case 'socks4a':
      return new SocksDialogue(upstream, destination, send);
    case 'http':
      return new ConnectDialogue(upstream, destination, send);
    case 'https':
      throw new CulvertError('proxy-url-invalid', { detail: 'HTTPS proxies come later' });
  }
}
