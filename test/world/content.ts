/** Content that both ends know: a keystream, so any length is at once reproducible, fast and incompressible. */
import { createCipheriv, createHash } from 'node:crypto';
import { Readable } from 'node:stream';

const blockBytes = 256 * 1024;
const zeros = Buffer.alloc(blockBytes);

/** The first `length` bytes of the known content, in blocks. */
export function* contentBlocks(length: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', 'culvert test key', Buffer.alloc(16));
  for (let left = length; left > 0; left -= blockBytes) {
    yield cipher.update(left < blockBytes ? zeros.subarray(0, left) : zeros);
  }
}

export function contentStream(length: number): Readable {
  return Readable.from(contentBlocks(length));
}

/** SHA-256 in hex of the first `length` bytes. */
export function contentHash(length: number): string {
  const hash = createHash('sha256');
  for (const block of contentBlocks(length)) hash.update(block);
  return hash.digest('hex');
}
