/**
 * proxychains.conf of proxychains-ng (`proxychains4`), unmodified. What its words become here:
 *
 *   strict_chain, dynamic_chain,        the chain's mode; the last one wins, none means dynamic (get_chain_data in
 *   random_chain, round_robin_chain     libproxychains.c has the defaults and the order of things)
 *   chain_len = N                       the chain's length for random and round-robin, 1 if it is not given
 *   tcp_connect_time_out, tcp_read_…    added up as each server's time limit: Culvert has one for both
 *   proxy_dns, _old, _daemon            nothing to do. Names always go to the proxy; without any of these words
 *                                       proxychains would ask the host's resolver, which Culvert never does: a note
 *   localnet                            rules of the profile with the action direct. Its own loopback needs none;
 *                                       with a port it becomes host access to that port of this computer
 *   dnat                                the profile's rewrites, those with a port first (connect in libproxychains.c)
 *   [ProxyList]                         the servers. socks4 sends names as SOCKS4a, as proxychains does; raw is
 *                                       no proxy protocol: left out, and a mistake in a strict chain
 */
import { authorityOf } from '../upstream/destination.ts';
import { formatUpstream } from '../upstream/url.ts';
import type { Upstream } from '#shared/model.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import type { ChainMode } from '#shared/profile.ts';
import { isAddress, isOwnLoopback, readAddressPort, readPrefix, widthOf, type Read } from './addresses.ts';
import { isProxyType, readProxyLine } from './proxychains-list.ts';
import { Draft, limits, type ImportResult } from './result.ts';
import { linesOf, type TextLine } from './text.ts';

const modes: ReadonlyMap<string, ChainMode> = new Map([
  ['strict_chain', 'strict'],
  ['dynamic_chain', 'dynamic'],
  ['random_chain', 'random'],
  ['round_robin_chain', 'round-robin'],
]);

/** Defaults of proxychains-ng in milliseconds, for where only one of the two is given. */
const defaultTimeouts = { tcp_connect_time_out: 10_000, tcp_read_time_out: 4_000 };
const most = { timeoutMs: 60_000, chainLength: 16, loopbackPorts: 32 };

interface Localnet {
  readonly line: number;
  readonly text: string;
  readonly range: string;
  readonly port?: number;
}

/** What has been read so far. */
interface Reading {
  readonly draft: Draft;
  mode: ChainMode;
  length: number;
  lengthLine?: TextLine;
  readonly timeouts: Partial<Record<keyof typeof defaultTimeouts, number>>;
  hasProxyDns: boolean;
  isInList: boolean;
  readonly localnets: Localnet[];
  readonly loopbackPorts: Set<number>;
  readonly rewrites: { from: string; to: string }[];
  readonly servers: Upstream[];
  lostServers: number;
}

/** Reads a whole file into one profile called `name`. */
export function importProxychains(text: string, name = 'proxychains'): ImportResult {
  const reading: Reading = {
    draft: new Draft('proxychains'),
    mode: 'dynamic',
    length: 1,
    timeouts: {},
    hasProxyDns: false,
    isInList: false,
    localnets: [],
    loopbackPorts: new Set(),
    rewrites: [],
    servers: [],
    lostServers: 0,
  };
  for (const line of linesOf(text, ['#'])) {
    if (reading.isInList) takeServer(reading, line);
    else readOption(reading, line);
  }
  finish(reading, name);
  return reading.draft.finish();
}

function readOption(reading: Reading, line: TextLine): void {
  const { draft } = reading;
  const [word = '', ...rest] = line.text.split(/\s+/, 8);
  const mode = modes.get(word);
  if (mode !== undefined) {
    reading.mode = mode;
    draft.say(line.number, 'taken', word);
  } else if (word === '[ProxyList]') {
    reading.isInList = true;
    draft.say(line.number, 'taken', word);
  } else if (word.startsWith('chain_len')) readLength(reading, line);
  else if (word === 'tcp_read_time_out' || word === 'tcp_connect_time_out')
    readTimeout(reading, line, word, rest[0]);
  else if (word === 'localnet') readLocalnet(reading, line, rest.join(' '));
  else if (word === 'dnat') readDnat(reading, line, rest);
  else if (word === 'proxy_dns' || word === 'proxy_dns_old') {
    reading.hasProxyDns = true;
    draft.say(line.number, 'taken', word);
  } else if (word === 'proxy_dns_daemon') {
    reading.hasProxyDns = true;
    draft.say(line.number, 'taken', word, phrase('proxychains.no-daemon'));
  } else if (word === 'remote_dns_subnet') {
    draft.say(line.number, 'note', word, phrase('proxychains.own-subnet'));
  } else if (word === 'quiet_mode') {
    draft.say(line.number, 'note', word, phrase('proxychains.quiet-mode'));
  } else if (isProxyType(word)) {
    reading.lostServers += 1;
    const shown = phrase('proxychains.kind-of-proxy', { kind: word });
    draft.say(line.number, 'invalid', shown, phrase('proxychains.misplaced-proxy'));
  } else
    draft.say(
      line.number,
      'skipped',
      phrase('proxychains.unknown-option'),
      phrase('proxychains.unknown-to-proxychains'),
    );
}

function readLength(reading: Reading, line: TextLine): void {
  const value = /^chain_len\s*=\s*([0-9]{1,6})\b/.exec(line.text)?.[1];
  if (value === undefined) {
    reading.draft.say(line.number, 'invalid', 'chain_len', phrase('proxychains.length-form'));
    return;
  }
  reading.length = Math.max(1, Number(value));
  reading.lengthLine = line;
}

function readTimeout(
  { draft, timeouts }: Reading,
  line: TextLine,
  word: keyof typeof defaultTimeouts,
  value: string | undefined,
): void {
  if (value === undefined || !/^[0-9]{1,9}$/.test(value)) {
    return draft.say(line.number, 'invalid', word, phrase('proxychains.time-missing'));
  }
  timeouts[word] = Number(value);
  draft.say(line.number, 'taken', `${word} ${value}`);
}

function readLocalnet(reading: Reading, line: TextLine, text: string): void {
  const { draft } = reading;
  const read = parseLocalnet(text);
  if (!read.ok) return draft.say(line.number, 'invalid', 'localnet', read.reason);
  const { range, port } = read.value;
  const shown = `localnet ${range}${port === undefined ? '' : ` port ${port}`}`;
  if (!isOwnLoopback(range)) {
    reading.localnets.push({ line: line.number, text: shown, ...read.value });
  } else if (port === undefined) {
    draft.say(line.number, 'note', shown, phrase('proxychains.loopback-ports'));
  } else if (reading.loopbackPorts.size < most.loopbackPorts || reading.loopbackPorts.has(port)) {
    reading.loopbackPorts.add(port);
    draft.say(line.number, 'taken', shown, phrase('proxychains.host-access', { port }));
  } else {
    const reason = phrase('proxychains.loopback-most', { most: most.loopbackPorts });
    draft.say(line.number, 'skipped', shown, reason);
  }
}

/** `address[:port]/mask`: an IPv4 mask or the length of a prefix; IPv6 with a port in brackets. */
function parseLocalnet(text: string): Read<{ range: string; port?: number }> {
  const slash = text.indexOf('/');
  if (slash === -1) return { ok: false, reason: phrase('proxychains.localnet-form') };
  const address = readAddressPort(text.slice(0, slash).replace(/^([0-9.]{7,15}):0+$/, '$1'));
  if (!address.ok) return address;
  const width = widthOf(address.value.address) ?? 32;
  const [mask = ''] = text.slice(slash + 1).split(/\s/, 1);
  const prefix = readPrefix(mask, width);
  if (prefix === undefined) return { ok: false, reason: phrase('proxychains.not-range-mask') };
  const { port } = address.value;
  return {
    ok: true,
    value: { range: `${address.value.address}/${prefix}`, ...(port !== undefined && { port }) },
  };
}

function readDnat({ draft, rewrites }: Reading, line: TextLine, [from = '', to = '']: string[]): void {
  const [source, target] = [readAddressPort(from), readAddressPort(to)];
  const refused = (reason: Phrase): void => {
    draft.say(line.number, 'invalid', 'dnat', reason);
  };
  if (!source.ok) return refused(phrase('proxychains.original-destination', { why: source.reason }));
  if (!target.ok) return refused(phrase('proxychains.new-destination', { why: target.reason }));
  const [written, replaced] = [writeAddress(source.value), writeAddress(target.value)];
  rewrites.push({ from: written, to: replaced });
  draft.say(line.number, 'taken', `dnat ${written} ${replaced}`);
}

function writeAddress({ address, port }: { address: string; port?: number }): string {
  return port === undefined ? address : authorityOf({ host: address, port });
}

/** The line may hold a password anywhere: only what was understood is shown. */
function takeServer(reading: Reading, line: TextLine): void {
  const { draft, servers, mode } = reading;
  const { server, shown, isOption, isRaw, remark } = readProxyLine(line.text);
  const isFull = servers.length >= limits.serversInChain;
  if (server.ok && !isFull) {
    servers.push(server.value);
    draft.say(line.number, 'taken', formatUpstream(server.value), remark);
    return;
  }
  if (!isOption) reading.lostServers += 1;
  const reason = server.ok ? phrase('proxifier.chain-long', { most: limits.serversInChain }) : server.reason;
  // All servers of a strict chain were asked for; the other modes pass over those that cannot be used.
  draft.say(line.number, isRaw && mode !== 'strict' ? 'skipped' : 'invalid', shown, reason);
}

function finish(reading: Reading, name: string): void {
  const { draft, mode, timeouts } = reading;
  sayLength(reading);
  if (reading.servers.length === 0) {
    draft.say(0, 'invalid', name, phrase('proxychains.no-usable-proxy'));
    for (const { line, text } of reading.localnets)
      draft.say(line, 'skipped', text, phrase('proxychains.no-owner'));
    return;
  }
  sayDifferences(reading, name);
  const timeoutMs = timeoutOf(timeouts);
  const isSelecting = mode === 'random' || mode === 'round-robin';
  const { id } = draft.addProfile({
    name,
    mode,
    ...(isSelecting && { length: Math.min(reading.length, most.chainLength, reading.servers.length) }),
    servers: reading.servers.map((server) => ({ ...server, ...(timeoutMs !== undefined && { timeoutMs }) })),
    ...(reading.rewrites.length > 0 && { rewrites: sortRewrites(reading.rewrites) }),
    ...(reading.loopbackPorts.size > 0 && {
      hostAccess: { loopbackPorts: [...reading.loopbackPorts], lan: 'profile' },
    }),
  });
  for (const { line, text, range, port } of reading.localnets) {
    const match = { to: [range], ...(port !== undefined && { ports: [String(port)] }), profiles: [id] };
    draft.addRule({ name: `${id.slice(0, 20)}-localnet`, note: text, match, action: 'direct' });
    draft.say(line, 'taken', text);
  }
}

function sayLength({ draft, mode, length, lengthLine, servers }: Reading): void {
  if (lengthLine === undefined) return;
  const shown = `chain_len = ${length}`;
  if (mode === 'strict' || mode === 'dynamic') {
    draft.say(lengthLine.number, 'note', shown, phrase('proxychains.chain-length', { mode }));
  } else if (length > most.chainLength) {
    const reason = phrase('proxychains.chain-most', { most: most.chainLength });
    draft.say(lengthLine.number, 'note', shown, reason);
  } else if (length > servers.length) {
    const reason = phrase('proxychains.only-servers', { of: servers.length });
    draft.say(lengthLine.number, 'invalid', shown, reason);
  } else draft.say(lengthLine.number, 'taken', shown);
}

function sayDifferences({ draft, hasProxyDns, lostServers, localnets }: Reading, name: string): void {
  if (!hasProxyDns) draft.say(0, 'note', name, phrase('proxychains.host-names'));
  if (lostServers > 0) draft.say(0, 'note', name, phrase('proxychains.fewer-servers', { lost: lostServers }));
  if (localnets.some(({ range }) => range.endsWith('/0')))
    draft.say(0, 'note', name, phrase('proxychains.all-local'));
}

/** The first that fits decides here; proxychains looks for one with the port before it looks for one without. */
function sortRewrites(rewrites: Reading['rewrites']): Reading['rewrites'] {
  const hasPort = ({ from }: { from: string }): boolean => !isAddress(from);
  return [...rewrites.filter(hasPort), ...rewrites.filter((rewrite) => !hasPort(rewrite))];
}

/** Milliseconds for one server, or undefined for Culvert's own limit. */
function timeoutOf(timeouts: Reading['timeouts']): number | undefined {
  if (Object.keys(timeouts).length === 0) return undefined;
  const { tcp_connect_time_out: connect, tcp_read_time_out: read } = { ...defaultTimeouts, ...timeouts };
  return Math.min(most.timeoutMs, Math.max(100, connect + read));
}
