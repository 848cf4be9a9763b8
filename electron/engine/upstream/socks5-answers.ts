/**
 * What the bytes of a SOCKS5 server's answers mean when they are no yes (RFC 1928 §3 and §6, RFC 1929 §2), in one
 * place for the two that read them: the dialogue in JavaScript and the one of the native pump.
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Phrase, type PhraseKey } from '#shared/phrase.ts';

export type ReplyKey = Extract<PhraseKey, `proxy.reply-${string}`>;

/** Reply codes of RFC 1928 §6. */
const replies: Readonly<Record<number, ReplyKey>> = {
  1: 'proxy.reply-general',
  2: 'proxy.reply-rules',
  3: 'proxy.reply-network',
  4: 'proxy.reply-host',
  5: 'proxy.reply-refused',
  6: 'proxy.reply-expired',
  7: 'proxy.reply-command',
  8: 'proxy.reply-address',
};

export function protocolError(detail: Phrase): CulvertError {
  return new CulvertError('proxy-protocol-error', { detail });
}

export function signInRefused(detail: Phrase): CulvertError {
  return new CulvertError('proxy-sign-in-refused', { detail });
}

export function anotherVersion(first: number): CulvertError {
  return protocolError(phrase('proxy.another-version', { byte: first, version: 5 }));
}

/** A method that is none of those offered; 255 is the proxy's way to accept none. */
export function methodRefused(method: number, hasSignIn: boolean): CulvertError {
  if (method !== 255) return protocolError(phrase('proxy.method-not-offered', { method }));
  return signInRefused(phrase(hasSignIn ? 'proxy.no-password-wanted' : 'proxy.sign-in-wanted'));
}

export function signInStatus(status: number): CulvertError {
  return signInRefused(phrase('proxy.sign-in-status', { status }));
}

/** A reply other than 0. */
export function replyRefused(code: number, command: 'connect' | 'associate'): CulvertError {
  const reason = phrase(replies[code] ?? 'proxy.reply-unknown');
  const detail = phrase('proxy.reply', { reason, code });
  return new CulvertError(command === 'associate' ? 'udp-not-offered' : 'proxy-refused', { detail });
}

export function unknownAddressType(type: number): CulvertError {
  return protocolError(phrase('proxy.address-type', { type }));
}

export function surplusBytes(): CulvertError {
  return protocolError(phrase('proxy.surplus'));
}
