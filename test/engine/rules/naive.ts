/** Rules as electron/shared/profile.ts documents them, one after the other and without any cleverness. */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import ipaddr from 'ipaddr.js';
import type { Rule, RuleMatch } from '#shared/profile.ts';
import type { FlowFacts, Verdict } from '../../../electron/engine/rules/facts.ts';

export function decideNaively(
  rules: readonly Rule[],
  facts: FlowFacts,
): Verdict | 'process-wanted' | undefined {
  for (const rule of rules) {
    if (rule.isOff === true) continue;
    const answer = matchesNaively(rule.match, facts);
    if (answer === 'process') return 'process-wanted';
    if (!answer) continue;
    const { id, action, profile } = rule;
    return profile === undefined ? { action, rule: id } : { action, profile, rule: id };
  }
  return undefined;
}

export function matchesNaively(match: RuleMatch, facts: FlowFacts): boolean | 'process' {
  const { apps, processes, to, ports, protocol, profiles } = match;
  const { process } = facts;
  if (protocol !== undefined && protocol !== facts.protocol) return false;
  if (profiles?.every((profile) => profile !== facts.profile)) return false;
  if (apps?.every((app) => !facts.apps.some((other) => appOf(app) === appOf(other)))) return false;
  if (ports?.every((port) => !hasPort(port, facts.port))) return false;
  if (to?.every((pattern) => !goesTo(pattern, facts))) return false;
  if (processes === undefined) return true;
  if (process === null || processes.length === 0) return false;
  if (process === undefined) return 'process';
  return processes.some((pattern) => globOf(pattern, '').test(process));
}

function appOf(app: string): string {
  return app.includes('/') ? app : app.toLowerCase().replace(/(?<=.)\.desktop$/, '');
}

function hasPort(text: string, port: number): boolean {
  const [first, last] = text.split('-').map(Number);
  return port >= (first ?? 0) && port <= (last ?? first ?? 0);
}

function goesTo(pattern: string, facts: FlowFacts): boolean {
  if (/^\*+$/.test(pattern)) return true;
  const isHostAddress = facts.host !== undefined && isIP(facts.host) !== 0;
  const name = facts.host === undefined || isHostAddress ? undefined : nameOf(facts.host);
  const address = facts.address ?? (isHostAddress ? facts.host : undefined);
  if (pattern.startsWith('/')) return name !== undefined && new RegExp(pattern.slice(1, -1), 'i').test(name);
  const range = rangeOf(pattern);
  if (range !== undefined) return address !== undefined && isIn(range, ipaddr.process(address));
  if (name === undefined) return false;
  if (pattern.startsWith('.')) return `.${name}`.endsWith(`.${nameOf(pattern.slice(1))}`);
  if (pattern.startsWith('*.') && !pattern.slice(2).includes('*')) {
    return name.endsWith(`.${nameOf(pattern.slice(2))}`);
  }
  if (pattern.includes('*')) return globOf(pattern.split('.').map(nameOf).join('.'), 'i').test(name);
  return name === nameOf(pattern);
}

function nameOf(text: string): string {
  const bare = text.toLowerCase().replace(/\.+$/, '');
  return /[^\0-\x7f]/.test(bare) ? domainToASCII(bare) : bare;
}

function globOf(text: string, flags: string): RegExp {
  const source = text.split('*').map((piece) => piece.replace(/[.\\+^$()[\]{}|?/-]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`, `s${flags}`);
}

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

function rangeOf(pattern: string): Range | undefined {
  const digits = /^((?:\d+\.)+)\*/.exec(pattern)?.[1];
  if (digits !== undefined) {
    const bytes = digits.split('.').length - 1;
    return [ipaddr.parse(`${digits}${'0.'.repeat(4 - bytes)}`.slice(0, -1)), bytes * 8];
  }
  const [host = '', bits] = pattern.split('/');
  if (isIP(host) === 0) return undefined;
  const whole = ipaddr.parse(host);
  const length = bits === undefined ? (whole.kind() === 'ipv4' ? 32 : 128) : Number(bits);
  const plain = ipaddr.process(host);
  if (plain.kind() === whole.kind()) return [whole, length];
  return length >= 96 ? [plain, length - 96] : [whole, length];
}

function isIn([first, length]: Range, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return first.kind() === address.kind() && address.match(first, length);
}
