/** Lists of proxies from anywhere: every line has its answer, and none does anything else. */
import { isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import { importText, type ImportResult } from '../../../electron/engine/import/index.ts';
import { checkDestination, destinationOf } from '../../../electron/engine/upstream/destination.ts';
import { hostileLines, secret } from './hostile-lines.ts';
import { expectSound } from './texts.ts';

/** What is taken is a proxy that can be asked; what is not has its number and a reason; no line shows a password. */
function expectAnswered(result: ImportResult, numbers: readonly number[]): void {
  expectSound(result);
  for (const { chain } of result.profiles) {
    for (const { host, port, user = '' } of chain.servers) {
      checkDestination(destinationOf(host.replace(/%.*$/, ''), port));
      expect(isIP(host.replace(/%.*$/, '')) !== 0 || /^[\p{L}\p{N}._-]+$/u.test(host), host).toBe(true);
      expect(user).not.toMatch(/[\p{Cc}]/u);
    }
  }
  const answered = new Set(result.lines.map(({ line }) => line));
  expect(numbers.filter((number) => !answered.has(number))).toEqual([]);
  for (const { status, reason = '', text } of result.lines) {
    if (status !== 'taken') expect(reason.length, text).toBeGreaterThan(5);
    expect(text.length).toBeLessThanOrEqual(121);
  }
  expect(JSON.stringify(result.lines)).not.toContain(secret);
}

const numbersFrom = (first: number) => hostileLines.map((_, at) => at + first);

describe('two hundred hostile lines', () => {
  it('are that many, each another one', () => {
    expect(new Set(hostileLines).size).toBeGreaterThanOrEqual(200);
    expect(hostileLines).toHaveLength(new Set(hostileLines).size);
  });

  it('have an answer each as links', () => {
    const result = importText(hostileLines.join('\n'), { kind: 'links' });
    expectAnswered(result, numbersFrom(1));
    // The control: most of them are no proxies.
    expect(result.lines.filter(({ status }) => status !== 'taken').length).toBeGreaterThan(120);
  });

  it('have the same answer alone as among others', () => {
    const together = importText(hostileLines.join('\n'), { kind: 'links' });
    for (const [at, line] of hostileLines.entries()) {
      const alone = importText(line, { kind: 'links' }).lines[0];
      const among = together.lines.find((entry) => entry.line === at + 1);
      if (among?.reason?.startsWith('the same proxy as') !== true)
        expect([at, among?.status]).toEqual([at, alone?.status]);
    }
  });

  it('have an answer each behind [ProxyList]', () => {
    const text = `strict_chain\nproxy_dns\n[ProxyList]\n${hostileLines.join('\n')}\nsocks5 192.0.2.1 1080\n`;
    expectAnswered(importText(text), numbersFrom(4));
  });

  it('have an answer each as the words of [ProxyList]', () => {
    const lines = hostileLines.map((line) => `socks5 ${line.replaceAll(':', ' ')}`);
    expectAnswered(importText(`[ProxyList]\n${lines.join('\n')}\n`), numbersFrom(2));
  });

  it('have an answer each as variables', () => {
    const lines = hostileLines.map((line) => `ALL_PROXY='${line.replaceAll("'", '')}'`);
    expectAnswered(importText(lines.join('\n'), { kind: 'environment' }), numbersFrom(1));
  });

  it.each(['direct-list', 'proxy-list'] as const)('have an answer each as a %s', (kind) => {
    const result = importText(hostileLines.join('\n'), { kind, profile: 'work' });
    expectAnswered(result, numbersFrom(1));
    expect(result.rules).toEqual([]);
  });

  it.each([
    [
      'Clash',
      (line: string) =>
        `proxies:\n  - ${JSON.stringify(line)}\n  - {name: ${JSON.stringify(line)}, type: socks5, server: ${JSON.stringify(line)}, port: 1}\n`,
    ],
    [
      'Proxifier',
      (line: string) =>
        `<ProxifierProfile><ProxyList><Proxy id="1" type="SOCKS5"><Address>${line}</Address><Port>${line}</Port></Proxy></ProxyList></ProxifierProfile>`,
    ],
    [
      'Culvert',
      (line: string) =>
        JSON.stringify({
          profiles: [
            { id: line, name: line, chain: { servers: [{ id: 's', kind: 'socks5', host: line, port: 1 }] } },
          ],
        }),
    ],
  ])('are taken or refused where a file of %s has them for values', (_what, fileOf) => {
    for (const line of hostileLines) {
      let result: ImportResult;
      try {
        result = importText(fileOf(line));
      } catch (error) {
        expect(error).toMatchObject({ failure: { code: 'import-invalid' } });
        continue;
      }
      expectSound(result);
    }
  });
});
