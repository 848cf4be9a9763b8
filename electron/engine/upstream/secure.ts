/**
 * TLS to a proxy, and whether it is the right one.
 *
 * Does: verify the certificate against the proxy's name or address, or compare it with the one fingerprint that the
 * user accepted. Must not: take a fingerprint as one way and verification as another; where there is a fingerprint,
 * only that certificate is accepted, valid or not.
 */
import { isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { CulvertError } from '#shared/failure.ts';
import { authorities } from './authorities.ts';
import { Carrier, CutOff } from './carrier.ts';
import { protocolError } from './socks5-answers.ts';

/** What a proxy must show. */
export interface Demand {
  /** Its name, or its address without brackets. */
  readonly host: string;
  /** SHA-256 of the one certificate that will do, 64 hexadecimal digits. */
  readonly fingerprint: string | undefined;
}

/** Begins TLS on a connection that is taken over. `refusalOf` must be asked at `secureConnect`. */
export function secure(below: Socket, { host, fingerprint }: Demand): TLSSocket {
  const carrier = new Carrier(below);
  // An address with a zone is certified, if at all, without it.
  const identity = host.replace(/%.*$/, '');
  const secured = connect({
    socket: carrier,
    host: identity,
    ...(isIP(identity) === 0 ? { servername: identity } : {}),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    // Judged by `refusalOf`, which still has the certificate to speak of.
    rejectUnauthorized: false,
    ...(fingerprint === undefined ? { secureContext: authorities() } : {}),
  });
  breakWhenCutOff(secured, carrier);
  return secured;
}

/** Why the certificate will not do, with the fingerprint that was seen; undefined when it will. */
export function refusalOf(secured: TLSSocket, { host, fingerprint }: Demand): CulvertError | undefined {
  const seen = secured.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
  if (seen === undefined) return new CulvertError('certificate-refused', { detail: 'it shows none' });
  const isAccepted = fingerprint === undefined ? secured.authorized : seen === fingerprint.toLowerCase();
  if (isAccepted) return undefined;
  const why = fingerprint === undefined ? reasonOf(secured, host) : 'not the one that was accepted';
  return new CulvertError('certificate-refused', { detail: `${why}; SHA-256 ${seen}` });
}

/** What an error of TLS itself means; undefined for those of the connection below. */
export function tlsDefect({ code = '', message }: NodeJS.ErrnoException): CulvertError | undefined {
  if (!code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_') && code !== 'EPROTO') return undefined;
  const reason = /ssl3?_[^:]*:([^:]*)/.exec(message)?.[1] ?? code;
  return protocolError(`no TLS with it: ${reason.slice(0, 100)}`);
}

const reasons: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known here',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not valid yet',
  CERT_REVOKED: 'revoked',
};

function reasonOf(secured: TLSSocket, host: string): string {
  // The typings say Error; what is there is the code of one.
  const code = String(secured.authorizationError);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `not for ${host}`;
  return reasons[code] ?? code;
}

/**
 * Node tells an end that TLS has said and one of the connection below alike, except in time: the former has come by
 * when the carrier ends, which is after all of its bytes are read. What came before a cut is still read.
 */
function breakWhenCutOff(secured: TLSSocket, carrier: Carrier): void {
  let isCutOff = false;
  const push = secured.push.bind(secured);
  const read = secured.read.bind(secured);
  const breakWhenRead = (): void => {
    if (isCutOff && secured.readableLength === 0) secured.destroy(new CutOff());
  };
  secured.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk === null && isCutOff) return false;
    if (chunk === null) carrier.hasSaidEnd = true;
    return push(chunk, encoding);
  };
  secured.read = (size?: number): unknown => {
    const chunk: unknown = read(size);
    breakWhenRead();
    return chunk;
  };
  carrier.prependListener('end', () => {
    isCutOff = !carrier.hasSaidEnd;
    breakWhenRead();
  });
}
