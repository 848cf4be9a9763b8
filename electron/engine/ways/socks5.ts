/**
 * A SOCKS5 upstream as the native pump dials it: what it is to send, and what its outcome means.
 *
 * Does: the bytes of sign-in and request, checked (S49), and the same failures as the dialogue in JavaScript
 * (upstream/socks.ts). A proxy given by name is dialled at the address that last worked there. Must not: look
 * a name up, or connect anything.
 */
import { getSystemErrorName } from 'node:util';
import { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { surplusAt, type EndedFlow } from '../native-events.ts';
import type { NativeDial } from '../native-flows.ts';
import { closed, late, unreachable, whileAt, type Peer } from '../upstream/connection.ts';
import { checkDestination, type Destination } from '../upstream/destination.ts';
import { peerOf } from '../upstream/dial.ts';
import { checkCredentials, hasCredentials } from '../upstream/socks.ts';
import {
  anotherVersion,
  methodRefused,
  replyRefused,
  signInStatus,
  surplusBytes,
  unknownAddressType,
} from '../upstream/socks5-answers.ts';
import { socksAddress, writeAddress } from '../relay/udp-address.ts';

/** How long the address of a proxy given by name is used, as long as a look-up (upstream/names.ts). */
const memoryMs = 10_000;
const connectRequest = Buffer.of(5, 1, 0);

export class Socks5 {
  readonly #upstream: Upstream;
  readonly #peer: Peer;
  readonly #signIn: Buffer;
  readonly #now: () => number;
  #proxy: Buffer | undefined;
  #until = Infinity;

  readonly #egress: string | undefined;

  /** Throws `proxy-url-invalid`. The clock is monotonic, in milliseconds. */
  constructor(upstream: Upstream, egress?: string, now: () => number = () => performance.now()) {
    checkCredentials(upstream);
    this.#egress = egress;
    this.#upstream = upstream;
    this.#peer = peerOf(upstream);
    this.#now = now;
    this.#signIn = signInOf(upstream);
    // An address with a zone is no `cv_addr`; Node dials it.
    if (this.#peer.kind !== 'name' && !upstream.host.includes('%')) this.#proxy = addressOf(upstream);
  }

  /** What the pump is to send, or undefined while the proxy's address is not known. Throws `host-name-invalid`. */
  dial(destination: Destination): NativeDial | undefined {
    checkDestination(destination);
    if (this.#proxy === undefined || this.#now() >= this.#until) return undefined;
    const request = Buffer.concat([connectRequest, socksAddress(destination)]);
    const device = this.#egress === undefined ? {} : { device: this.#egress };
    return { proxy: this.#proxy, ...device, signIn: this.#signIn, request };
  }

  /** A connection to the proxy has come about at this address. */
  reached(address: string | undefined): void {
    if (this.#peer.kind !== 'name' || address === undefined || address.includes('%')) return;
    this.#proxy = addressOf({ host: address, port: this.#upstream.port });
    this.#until = this.#now() + memoryMs;
  }

  /** Why a dial did not come through; undefined when it was not the proxy's side that ended it. */
  failure(ended: EndedFlow, totalMs: number): CulvertError | undefined {
    const during = whileAt(this.#peer, ended.stage === 'connecting' ? undefined : ended.stage);
    const error = ended.errno === 0 ? undefined : getSystemErrorName(-ended.errno);
    switch (ended.end) {
      case 'unreachable':
        if (this.#egress !== undefined && error === 'ENODEV')
          return new CulvertError('egress-missing', { detail: this.#egress });
        if (this.#peer.kind === 'name') this.#proxy = undefined;
        return unreachable(this.#peer, error ?? '');
      case 'dial-closed':
        return closed(error, during);
      case 'dial-late':
        return late(this.#peer, totalMs, during);
      case 'dial-answer':
        return this.#answerFailure(ended);
      default:
        return undefined;
    }
  }

  #answerFailure({ stage, at, value }: EndedFlow): CulvertError {
    if (at === surplusAt) return surplusBytes();
    if (at === 0) return anotherVersion(value);
    if (at === 3) return unknownAddressType(value);
    if (stage === 'greeting') return methodRefused(value, hasCredentials(this.#upstream));
    return stage === 'sign-in' ? signInStatus(value) : replyRefused(value, 'connect');
  }
}

function addressOf({ host, port }: { host: string; port: number }): Buffer {
  return writeAddress({ address: host, port });
}

/** Version, user name, password, each of the two with its length (RFC 1929 §2); empty without either. */
function signInOf(upstream: Upstream): Buffer {
  if (!hasCredentials(upstream)) return Buffer.alloc(0);
  const user = Buffer.from(upstream.user ?? '');
  const password = Buffer.from(upstream.password ?? '');
  return Buffer.concat([Buffer.of(1, user.length), user, Buffer.of(password.length), password]);
}
