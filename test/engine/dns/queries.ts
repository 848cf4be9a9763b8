/** Queries as a client would write them, made by the library, for all DNS tests. */
import * as dnsPacket from 'dns-packet';

export interface Asked {
  id?: number;
  name?: string;
  /** A name of the library's or `UNKNOWN_65` for any number. */
  type?: string;
  class?: string;
  flags?: number;
  edns?: { size?: number; version?: number; dnssec?: boolean };
}

export function queryBytes(asked: Asked = {}): Buffer {
  const { edns } = asked;
  return dnsPacket.encode({
    type: 'query',
    id: asked.id ?? 0x1234,
    flags: asked.flags ?? dnsPacket.RECURSION_DESIRED,
    questions: [
      {
        name: asked.name ?? 'example.com',
        type: (asked.type ?? 'A') as dnsPacket.RecordType,
        class: (asked.class ?? 'IN') as dnsPacket.RecordClass,
      },
    ],
    additionals:
      edns === undefined
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: edns.size ?? 4096,
              extendedRcode: 0,
              ednsVersion: edns.version ?? 0,
              flags: edns.dnssec === true ? dnsPacket.DNSSEC_OK : 0,
              flag_do: edns.dnssec === true,
              options: [],
            },
          ],
  });
}

/** A query whose question name is given label by label, bytes as they are. */
export function rawQuery(labels: Buffer[], type = 1, klass = 1): Buffer {
  const header = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const name = labels.flatMap((label) => [Buffer.from([label.length]), label]);
  return Buffer.concat([header, ...name, Buffer.from([0, type >> 8, type & 255, klass >> 8, klass & 255])]);
}

/** An answer as the library reads it, with the code that the types of the library leave out. */
export function read(bytes: Buffer | undefined): dnsPacket.DecodedPacket & { rcode: string; bytes: Buffer } {
  if (bytes === undefined) throw new Error('no answer');
  const packet = dnsPacket.decode(bytes);
  return Object.assign(packet, { rcode: (packet as unknown as { rcode: string }).rcode, bytes });
}

/** The data of the answer records, as the library reads it. */
export function answersOf(bytes: Buffer | undefined): unknown[] {
  return (read(bytes).answers ?? []).map((answer) => ('data' in answer ? answer.data : undefined));
}
