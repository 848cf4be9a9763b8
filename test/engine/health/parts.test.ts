/** The small parts of tests and checks: what is asked, what an answer says, and what findings come to. */
import { describe, expect, it } from 'vitest';
import type { CheckLine } from '#shared/model.ts';
import { phrase } from '#shared/phrase.ts';
import { withoutHeaders } from '../../../electron/engine/health/datagrams.ts';
import { answerTo, questionFor } from '../../../electron/engine/health/dns-question.ts';
import { Findings, worstOf } from '../../../electron/engine/health/findings.ts';
import { within } from '../../../electron/engine/health/limit.ts';
import { defaultResolver, defaultUrl, probeOf } from '../../../electron/engine/health/probe.ts';
import { addressIn } from '../../../electron/engine/health/web-request.ts';
import { goodAnswer } from '../dns/dns-server.ts';
import { failureFrom } from '../upstream/scripted-proxy.ts';

describe('what is asked', () => {
  it('is a page over https and a resolver where nobody names others', () => {
    const { url, web, resolver, name } = probeOf({});
    expect(url.href).toBe(defaultUrl);
    expect(web).toMatchObject({ kind: 'name', port: 443 });
    expect(resolver).toEqual({ host: defaultResolver, port: 53, kind: 'ipv4' });
    expect(name).toBe(web.host);
  });

  it.each([
    ['198.51.100.53', { host: '198.51.100.53', port: 53, kind: 'ipv4' }],
    ['198.51.100.53:5353', { host: '198.51.100.53', port: 5353, kind: 'ipv4' }],
    ['2001:db8::53', { host: '2001:db8::53', port: 53, kind: 'ipv6' }],
    ['[2001:db8::53]:5353', { host: '2001:db8::53', port: 5353, kind: 'ipv6' }],
  ])('takes the resolver %s', (resolver, expected) => {
    expect(probeOf({ resolver }).resolver).toEqual(expected);
  });

  it('asks for the root where the page is at an address, which no question could be about', () => {
    const { web, name } = probeOf({ url: 'http://[2001:db8::80]:8080/ip' });
    expect(web).toEqual({ host: '2001:db8::80', port: 8080, kind: 'ipv6' });
    expect(name).toBe('.');
  });

  it.each([
    { url: 'example.test' },
    { url: 'ftp://example.test/' },
    { url: 'http://user:secret@example.test/' },
    { url: 'http://under score.test/' },
    { resolver: 'dns.test' },
    { resolver: '198.51.100.53:0' },
    { resolver: '198.51.100.53:70000' },
    { resolver: 'fe80::1%eth0' },
  ])('refuses %j', async (choice) => {
    const failure = await failureFrom(Promise.resolve().then(() => probeOf(choice)));
    expect(failure.code).toBe('option-invalid');
    expect(failure.detail).not.toContain('secret');
  });
});

describe('the address in a page', () => {
  it.each([
    ['198.51.100.4', '198.51.100.4'],
    [' 2001:db8::4\n', '2001:db8::4'],
    ['fl=1\nip=198.51.100.4\nts=2\n', '198.51.100.4'],
    ['fl=1\r\nIP = 2001:db8::4\r\n', '2001:db8::4'],
  ])('of %j is found', (body, address) => {
    expect(addressIn(body)).toBe(address);
  });

  it.each([
    '',
    'hello',
    'ip=example.test',
    'zip=198.51.100.4',
    '198.51.100.4 is yours',
    'ip=198.51.100.4 or so',
  ])('is not made of %j', (body) => {
    expect(addressIn(body)).toBeUndefined();
  });
});

describe('an answer of a resolver', () => {
  it('is the one with the id and the letters of the question', () => {
    const question = questionFor('a-long-enough-name.example.test', 'A');
    expect(answerTo(question, goodAnswer(question))).toEqual({
      code: 'NOERROR',
      isUseful: true,
      addresses: ['192.0.2.7'],
    });
    const otherId = Buffer.from(goodAnswer(question));
    otherId.writeUInt16BE(otherId.readUInt16BE(0) ^ 1, 0);
    expect(answerTo(question, otherId)).toBeUndefined();
    const otherCase = Buffer.from(goodAnswer(question));
    otherCase.writeUInt8(otherCase.readUInt8(13) ^ 0x20, 13);
    expect(answerTo(question, otherCase)).toBeUndefined();
    expect(answerTo(question, question)).toBeUndefined();
    expect(answerTo(question, Buffer.from('garbage'))).toBeUndefined();
  });

  it('is one of its kind: two questions are never the same bytes', () => {
    const questions = Array.from({ length: 50 }, () => questionFor('www.example.test', 'A').toString('hex'));
    expect(new Set(questions).size).toBe(50);
  });

  it('is useful where there is no such name, and not where the resolver failed', () => {
    const question = questionFor('example.test', 'A');
    const noName = Buffer.from(goodAnswer(question, { answers: [] }));
    noName.writeUInt8(noName.readUInt8(3) | 3, 3);
    expect(answerTo(question, noName)).toMatchObject({ code: 'NXDOMAIN', isUseful: true });
    noName.writeUInt8((noName.readUInt8(3) & 0xf0) | 2, 3);
    expect(answerTo(question, noName)).toMatchObject({ code: 'SERVFAIL', isUseful: false });
  });
});

describe('the headers of a datagram', () => {
  const v4 = Buffer.of(0, 0, 0, 1, 192, 0, 2, 1, 0, 53);
  const v6 = Buffer.concat([Buffer.of(0, 0, 0, 4), Buffer.alloc(16, 1), Buffer.of(0, 53)]);
  const name = Buffer.concat([Buffer.of(0, 0, 0, 3, 4), Buffer.from('test'), Buffer.of(0, 53)]);

  it('are taken away, one for each server', () => {
    expect(withoutHeaders(Buffer.concat([v4, Buffer.from('x')]), 1)?.toString()).toBe('x');
    expect(withoutHeaders(Buffer.concat([v6, name, Buffer.from('x')]), 2)?.toString()).toBe('x');
  });

  it('are refused as fragments, of unknown kinds and at every length that is too short', () => {
    expect(withoutHeaders(Buffer.concat([Buffer.of(0, 0, 1), v4.subarray(3)]), 1)).toBeUndefined();
    expect(withoutHeaders(Buffer.of(0, 0, 0, 2, 1, 1, 1, 1, 0, 53), 1)).toBeUndefined();
    for (const header of [v4, v6, name])
      for (let length = 0; length < header.length; length += 1)
        expect(withoutHeaders(header.subarray(0, length), 1)).toBeUndefined();
  });
});

describe('what findings come to', () => {
  const lines = (...outcomes: CheckLine['outcome'][]): CheckLine[] =>
    outcomes.map((outcome) => ({ stage: 'web', outcome, text: '' }));

  it('is the worst of them, and nothing unknown passes for good', () => {
    expect(worstOf(lines('ok', 'refused'))).toBe('ok');
    expect(worstOf(lines('ok', 'unknown', 'refused'))).toBe('unknown');
    expect(worstOf(lines('unknown', 'failed', 'ok'))).toBe('failed');
    expect(worstOf(lines('failed', 'leak', 'unknown'))).toBe('leak');
  });

  it('is unknown where nothing was found out', () => {
    expect(worstOf([])).toBe('unknown');
    expect(worstOf(lines('refused'))).toBe('unknown');
  });

  it('is told line by line, without the secrets that no failure has', () => {
    const heard: CheckLine[] = [];
    const findings = new Findings((line) => heard.push(line));
    findings.add('udp', 'refused', phrase('test.ipv6-none'));
    findings.failed('web', new Error('something odd'), 12);
    expect(heard).toEqual(findings.report().lines);
    expect(heard[1]).toMatchObject({
      stage: 'web',
      outcome: 'failed',
      ms: 12,
      failure: { code: 'internal' },
    });
  });
});

describe('a limit', () => {
  const never = new AbortController().signal;

  it('ends the waiting for something that does not listen to its signal', async () => {
    const late = (): Error => new Error('late');
    await expect(within(20, never, late, () => new Promise(() => undefined))).rejects.toThrow('late');
  });

  it('gives up what is still under way when something else has ended the waiting', async () => {
    let seen: AbortSignal | undefined;
    const run = (signal: AbortSignal): Promise<string> => {
      seen = signal;
      return Promise.resolve('done');
    };
    await expect(within(1000, never, () => new Error('late'), run)).resolves.toBe('done');
    expect(seen?.aborted).toBe(true);
  });

  it('tells the reason of whoever gave up', async () => {
    const reason = new Error('the user gave up');
    const run = within(
      1000,
      AbortSignal.abort(reason),
      () => new Error('late'),
      () => new Promise(() => undefined),
    );
    await expect(run).rejects.toBe(reason);
  });
});
