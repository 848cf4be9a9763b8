/**
 * What the bytes of a SOCKS5 server's answers mean when they are no yes (RFC 1928 §3 and §6, RFC 1929 §2), in one
 * place for the two that read them: the dialogue in JavaScript and the one of the native pump.
 */
import { CulvertError } from '#shared/failure.ts';

/** Reply codes of RFC 1928 §6. */
const replies: readonly string[] = [
  'granted',
  'general failure',
  'not allowed by its rules',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'time to live expired',
  'command not supported',
  'address type not supported',
];

export function protocolError(detail: string): CulvertError {
  return new CulvertError('proxy-protocol-error', { detail });
}

export function signInRefused(detail: string): CulvertError {
  return new CulvertError('proxy-sign-in-refused', { detail });
}

export function anotherVersion(first: number): CulvertError {
  return protocolError(`the answer begins with ${first} instead of 5`);
}

/** A method that is none of those offered; 255 is the proxy's way to accept none. */
export function methodRefused(method: number, hasSignIn: boolean): CulvertError {
  if (method !== 255) return protocolError(`it chose sign-in method ${method}, which was not offered`);
  return signInRefused(
    hasSignIn ? 'it accepts no user name and password' : 'it wants a sign-in and none was given',
  );
}

export function signInStatus(status: number): CulvertError {
  return signInRefused(`status ${status}`);
}

/** A reply other than 0. */
export function replyRefused(code: number, command: 'connect' | 'associate'): CulvertError {
  const detail = `${replies[code] ?? 'unknown reason'} (reply ${code})`;
  return new CulvertError(command === 'associate' ? 'udp-not-offered' : 'proxy-refused', { detail });
}

export function unknownAddressType(type: number): CulvertError {
  return protocolError(`the answer has the unknown address type ${type}`);
}

export function surplusBytes(): CulvertError {
  return protocolError('it sent more than was asked for');
}
