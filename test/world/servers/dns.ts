/** A small authoritative server: *.test has addresses (v4only.test no IPv6), missing.test and the rest do not exist. */
import type { Socket } from 'node:net';
import * as packet from 'dns-packet';
import { internet } from '../addresses.ts';
import type { Seen } from './protocol.ts';

const nxDomain = 3;

function records(name: string, type: string): packet.Answer[] {
  if (type === 'A') return [{ name, type, ttl: 60, data: internet.web4 }];
  if (type === 'AAAA' && name !== 'v4only.test') return [{ name, type, ttl: 60, data: internet.web6 }];
  if (type === 'TXT') return [{ name, type, ttl: 60, data: ['answered by the internet'] }];
  return [];
}

/** The answer to one query, and what was asked as "A example.test". A query that is not one gets no reply. */
export function answer(query: Buffer, transport: 'udp' | 'tcp'): { asked: string; reply?: Buffer } {
  try {
    const { id, questions } = packet.decode(query);
    const question = questions?.[0];
    if (question === undefined) return { asked: `nothing over ${transport}` };
    const name = question.name.toLowerCase();
    const exists = name === 'test' || (name.endsWith('.test') && name !== 'missing.test');
    const flags = packet.AUTHORITATIVE_ANSWER | (exists ? 0 : nxDomain);
    const answers = exists
      ? records(name, question.type).map((record) => ({ ...record, name: question.name }))
      : [];
    const reply = packet.encode({ type: 'response', id: id ?? 0, flags, questions: [question], answers });
    return { asked: `${question.type} ${name}`, reply };
  } catch {
    return { asked: `garbage over ${transport}` };
  }
}

/** DNS over TCP (RFC 1035 §4.2.2): messages behind their length, several on one connection. */
export function answerStream(socket: Socket, entry: Seen): void {
  let held = Buffer.alloc(0);
  const asked: string[] = [];
  Object.defineProperty(entry, 'asked', { enumerable: true, get: () => asked.join(', ') });
  socket.on('data', (bytes) => {
    entry.bytes += bytes.length;
    held = Buffer.concat([held, bytes]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0);
      const answered = answer(held.subarray(2, end), 'tcp');
      held = held.subarray(end);
      asked.push(answered.asked);
      if (answered.reply === undefined) continue;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answered.reply.length);
      socket.write(Buffer.concat([length, answered.reply]));
    }
  });
  socket.on('end', () => socket.end());
}
