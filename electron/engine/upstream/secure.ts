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
import { phrase, type PhraseKey, type Said } from '#shared/phrase.ts';
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
  if (seen === undefined)
    return new CulvertError('certificate-refused', { detail: phrase('proxy.no-certificate') });
  const isAccepted = fingerprint === undefined ? secured.authorized : seen === fingerprint.toLowerCase();
  if (isAccepted) return undefined;
  const why = fingerprint === undefined ? reasonOf(secured, host) : phrase('proxy.certificate-other');
  return new CulvertError('certificate-refused', { detail: phrase('proxy.certificate', { why, seen }) });
}

/** What an error of TLS itself means; undefined for those of the connection below. */
export function tlsDefect({ code = '', message }: NodeJS.ErrnoException): CulvertError | undefined {
  if (!code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_') && code !== 'EPROTO') return undefined;
  const reason = /ssl3?_[^:]*:([^:]*)/.exec(message)?.[1] ?? code;
  return protocolError(phrase('page.no-tls', { words: reason.slice(0, 100) }));
}

const reasons = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'proxy.certificate-self',
  SELF_SIGNED_CERT_IN_CHAIN: 'proxy.certificate-authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'proxy.certificate-authority',
  UNABLE_TO_GET_ISSUER_CERT: 'proxy.certificate-authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'proxy.certificate-authority',
  CERT_HAS_EXPIRED: 'proxy.certificate-expired',
  CERT_NOT_YET_VALID: 'proxy.certificate-early',
  CERT_REVOKED: 'proxy.certificate-revoked',
} as const satisfies Readonly<Record<string, PhraseKey>>;

function reasonOf(secured: TLSSocket, host: string): Said {
  // The typings say Error; what is there is the code of one.
  const code = String(secured.authorizationError);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return phrase('proxy.certificate-name', { host });
  return isReason(code) ? phrase(reasons[code]) : code;
}

function isReason(code: string): code is keyof typeof reasons {
  return Object.hasOwn(reasons, code);
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
