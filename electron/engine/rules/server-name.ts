/**
 * The server name that an app sends at the beginning of TLS, in the clear: what rules on names can go by where the
 * app asked for a bare address.
 *
 * Does: read a ClientHello as far as it is there (RFC 8446 §4.1.2 and §5.1, RFC 6066 §3), and answer as soon as the
 * answer is certain, so that more bytes never change it. Must not: believe it. The app may name any server, and
 * with encrypted ClientHello it names the one that stands in front. It must not wait for bytes either that cannot
 * matter: what is not TLS is told by its first wrong byte, so that a protocol in which the server speaks first is
 * not held up for longer than the caller waits for the first bytes.
 */
import { isHostName } from '../dns/names.ts';
import { maxNameBytes } from '../upstream/destination.ts';

export type ServerName =
  | { readonly kind: 'name'; readonly name: string }
  /** Not TLS, no name in it, not the name of a host, or none within the first 16 KiB. */
  | { readonly kind: 'none' }
  /** Undecided: ask again with more bytes, from the first one on. */
  | { readonly kind: 'more' };

/** How many bytes of a flow are looked at. */
export const maxHelloBytes = 16 * 1024;

/** Reads the server name out of the first bytes of a flow. Does not throw. */
export function serverNameOf(bytes: Buffer): ServerName {
  try {
    const name = readHello(new HandshakeReader(bytes.subarray(0, maxHelloBytes)));
    return name !== undefined && isHostName(name) ? { kind: 'name', name } : { kind: 'none' };
  } catch (reason) {
    if (reason === needMore) return { kind: bytes.length < maxHelloBytes ? 'more' : 'none' };
    if (reason === notHello) return { kind: 'none' };
    throw reason;
  }
}

// Thrown and caught in this file, for many flows, so made once.
const needMore = new Error('the bytes end before the answer');
const notHello = new Error('no ClientHello with a name');

const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const hostNameType = 0;
/** RFC 8446 §5.1. */
const maxRecordBytes = 1 << 14;
/** What the fields of a ClientHello can add up to: version, random, session, ciphers, compression, extensions. */
const maxMessageBytes = 2 + 32 + 33 + (2 + 0xfffe) + 256 + (2 + 0xffff);

/** Throws `notHello` unless it holds. */
function insist(condition: boolean): asserts condition {
  if (!condition) throw notHello;
}

/** The bytes of the handshake without the headers of the records that they are split over. */
class HandshakeReader {
  readonly #bytes: Buffer;
  #at = 0;
  #leftInRecord = 0;
  /** How many bytes of the message have been read. */
  read = 0;
  /** Where the message ends, once that is known. */
  end = Number.POSITIVE_INFINITY;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  u8(): number {
    insist(this.read < this.end);
    while (this.#leftInRecord === 0) this.#openRecord();
    this.#leftInRecord--;
    this.read++;
    return this.#raw();
  }

  /** A length of two bytes whose value may be `most`. */
  u16(most = 0xffff): number {
    const high = this.u8();
    insist(high <= most >> 8);
    const value = (high << 8) | this.u8();
    insist(value <= most);
    return value;
  }

  skip(count: number): void {
    insist(this.read + count <= this.end);
    for (let left = count; left > 0;) {
      if (this.#leftInRecord === 0) this.#openRecord();
      const step = Math.min(left, this.#leftInRecord);
      this.#leftInRecord -= step;
      this.#at += step;
      this.read += step;
      left -= step;
    }
  }

  text(count: number): string {
    let text = '';
    for (let i = 0; i < count; i++) text += String.fromCharCode(this.u8());
    return text;
  }

  #raw(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw needMore;
    this.#at++;
    return byte;
  }

  #openRecord(): void {
    insist(this.#raw() === handshakeRecord);
    insist(this.#raw() === 3);
    insist(this.#raw() <= 4);
    const high = this.#raw();
    insist(high <= maxRecordBytes >> 8);
    const length = (high << 8) | this.#raw();
    insist(length > 0 && length <= maxRecordBytes);
    this.#leftInRecord = length;
  }
}

function readHello(reader: HandshakeReader): string | undefined {
  insist(reader.u8() === clientHello);
  const high = reader.u8();
  insist(high <= maxMessageBytes >> 16);
  const length = (high << 16) | reader.u16();
  insist(length <= maxMessageBytes);
  reader.end = reader.read + length;
  insist(reader.u8() === 3 && reader.u8() <= 4);
  reader.skip(32);
  const sessionBytes = reader.u8();
  insist(sessionBytes <= 32);
  reader.skip(sessionBytes);
  const cipherBytes = reader.u16(0xfffe);
  insist(cipherBytes >= 2 && cipherBytes % 2 === 0);
  reader.skip(cipherBytes);
  const compressionBytes = reader.u8();
  insist(compressionBytes >= 1);
  reader.skip(compressionBytes);
  // Without extensions the message ends here (RFC 5246 §7.4.1.2).
  if (reader.read === reader.end) return undefined;
  const extensionBytes = reader.u16();
  insist(reader.read + extensionBytes === reader.end);
  return readExtensions(reader);
}

function readExtensions(reader: HandshakeReader): string | undefined {
  while (reader.read < reader.end) {
    const type = reader.u16();
    const length = reader.u16();
    insist(reader.read + length <= reader.end);
    if (type === serverNameExtension) return readServerName(reader, length);
    reader.skip(length);
  }
  return undefined;
}

/** The list has one name: there may be one of each type, and there is one type. */
function readServerName(reader: HandshakeReader, length: number): string {
  insist(reader.u16() === length - 2);
  insist(reader.u8() === hostNameType);
  const nameBytes = reader.u16();
  insist(nameBytes === length - 5 && nameBytes <= maxNameBytes);
  return reader.text(nameBytes);
}
