/** A question to a resolver as bytes, and what its answer says. Pure. */
import { randomInt } from 'node:crypto';
import * as dnsPacket from 'dns-packet';
import { checkAnswer } from '../dns/resolver.ts';
import { headerBytes } from '../dns/wire.ts';

export interface ResolverAnswer {
  /** In words: NOERROR, NXDOMAIN, SERVFAIL and so on. */
  readonly code: string;
  /** Whether it is an answer that a resolver gives who does its work: also that there is no such name. */
  readonly isUseful: boolean;
  /** Those of the type that was asked for. */
  readonly addresses: readonly string[];
}

/**
 * One question with an id of its own and letters of random case, so that an answer cannot be one to another question
 * and whoever sees it can tell it from all others ("0x20"). For the root the question is about its servers.
 */
export function questionFor(name: string, type: 'A' | 'AAAA'): Buffer {
  const mixed = name.replace(/[a-z]/gi, (letter) =>
    randomInt(2) === 0 ? letter.toLowerCase() : letter.toUpperCase(),
  );
  return dnsPacket.encode({
    type: 'query',
    id: randomInt(0x1_0000),
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name: mixed, type: name === '.' ? 'NS' : type }],
  });
}

/** What a message says if it is the answer to this question, else undefined. */
export function answerTo(question: Buffer, message: Buffer): ResolverAnswer | undefined {
  if (checkAnswer(message, question.readUInt16BE(0), question.subarray(headerBytes)) === undefined)
    return undefined;
  try {
    const { rcode, answers = [] } = dnsPacket.decode(message) as dnsPacket.DecodedPacket & { rcode?: string };
    const code = rcode ?? 'an unknown code';
    const addresses = answers.flatMap((answer) =>
      answer.type === 'A' || answer.type === 'AAAA' ? [answer.data] : [],
    );
    return { code, isUseful: code === 'NOERROR' || code === 'NXDOMAIN', addresses };
  } catch {
    // Its records contradict themselves: it is no answer that anybody could use.
    return undefined;
  }
}
