/**
 * What connections are looked for by, on the command line and in the window: `parseQuery`, then `matches` for each.
 * Pure, and without Node.
 *
 * Does: hold a connection against all terms. With a key the whole value must fit, `*` standing for any characters;
 * words without a key may be anywhere in the host, the address, the app or the process. Case never matters.
 * Must not: take a value that can never match for one that does not: a wrong port or size is refused.
 */
import { isWithin, parseAddress, parseAddressRange } from './address-range.ts';
import { durations, readComparison, sizes, type Unit } from './amount.ts';
import { CulvertError } from './failure.ts';
import { flowView, type FlowView, type LaneView } from './model.ts';
import { phrase, type Phrase } from './phrase.ts';
import { formatTerm, readTerms, type QueryKey, type QueryTerm } from './query-text.ts';
import { fits, parseWildcard } from './wildcard.ts';

export { formatTerm, queryKeys, type QueryKey, type QueryTerm } from './query-text.ts';

/** What a query needs to know of a flow's lane. */
export type QueriedLane = Pick<LaneView, 'app' | 'name' | 'profile'>;

interface Subject {
  readonly flow: FlowView;
  /** As it was when the flow began, if the flow says so; undefined where nothing is known of it. */
  readonly lane: QueriedLane | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Test = (subject: Subject) => boolean;

export interface Query {
  readonly terms: readonly QueryTerm[];
  readonly tests: readonly Test[];
}

/** A query that cannot be one: `query-invalid`, and where in its text, from 0. */
export class QueryError extends CulvertError {
  readonly at: number;
  readonly reason: Phrase;

  constructor(at: number, reason: Phrase) {
    super('query-invalid', { detail: phrase('query.at', { at: at + 1, why: reason }) });
    this.name = 'QueryError';
    this.at = at;
    this.reason = reason;
  }
}

/** Reads a query; the empty one takes all. Throws `QueryError`. */
export function parseQuery(text: string): Query {
  const terms: QueryTerm[] = [];
  const tests: Test[] = [];
  for (const read of readTerms(text)) {
    if ('wrong' in read) throw new QueryError(read.at, read.wrong);
    const test = testOf(read.term);
    if (typeof test === 'object') throw new QueryError(read.at, test);
    terms.push(read.term);
    tests.push(test);
  }
  return { terms, tests };
}

/** The query of these terms, as after a chip was taken away. Throws `QueryError` for terms that no query has. */
export function queryOf(terms: readonly QueryTerm[]): Query {
  return parseQuery(terms.map(formatTerm).join(' '));
}

/** The query as it would be typed. */
export function formatQuery({ terms }: Pick<Query, 'terms'>): string {
  return terms.map(formatTerm).join(' ');
}

/**
 * Whether a flow is looked for; `now` in milliseconds since the epoch, for its age. `lane` is for flows that do not say
 * themselves whose they are.
 */
export function matches(query: Query, flow: FlowView, lane: QueriedLane | undefined, now: number): boolean {
  const { app, name, profile } = flow;
  const isSaid = app !== undefined && name !== undefined && profile !== undefined;
  const subject = { flow, lane: isSaid ? { app, name, profile } : lane, now };
  return query.tests.every((test) => test(subject));
}

/** What a term asks. A phrase is the reason why it cannot be asked. */
function testOf({ key, isNegated, values }: QueryTerm): Test | Phrase {
  const tests: Test[] = [];
  for (const value of values) {
    const test = key === 'words' ? wordTest(value) : readers[key](value);
    if (typeof test === 'object') return test;
    tests.push(test);
  }
  return (subject) => tests.some((test) => test(subject)) !== isNegated;
}

type Reader = (value: string) => Test | Phrase;
type Texts = (subject: Subject) => readonly (string | undefined)[];

const states = flowView.entries.state.options;
const protocols = flowView.entries.proto.options;

const readers: Readonly<Record<QueryKey, Reader>> = {
  app: ofTexts(({ lane }) => [lane?.app, lane?.name]),
  process: ofTexts(({ flow }) => [flow.process]),
  pid: ofNumbers('query.pid', Number.MAX_SAFE_INTEGER, ({ pid }) => pid),
  host: hostTest,
  ip: addressTest,
  port: ofNumbers('query.port', 65_535, ({ port }) => port),
  proto: ofWords('query.protocol', protocols, ({ flow }) => [flow.proto]),
  profile: ofTexts(({ lane }) => [lane?.profile.id, lane?.profile.name]),
  rule: ofTexts(({ flow }) => [flow.rule]),
  via: ofTexts(({ flow }) => namesOfWay(flow.via)),
  state: ofWords('query.state', states, ({ flow }) => [flow.state]),
  lane: ofTexts(({ flow }) => [flow.lane]),
  error: ofTexts(({ flow }) => [flow.failure?.code]),
  total: ofAmounts(sizes, ({ flow }) => flow.bytesDown + flow.bytesUp),
  down: ofAmounts(sizes, ({ flow }) => flow.bytesDown),
  up: ofAmounts(sizes, ({ flow }) => flow.bytesUp),
  age: ofAmounts(durations, ({ flow, now }) => (flow.closedAt ?? now) - flow.openedAt),
};

function wildcardTest(text: string, texts: Texts): Test {
  const wildcard = parseWildcard(text.toLowerCase());
  return (subject) =>
    texts(subject).some((found) => found !== undefined && fits(wildcard, found.toLowerCase()));
}

function ofTexts(texts: Texts): Reader {
  return (value) => wildcardTest(value, texts);
}

function ofWords(wrong: 'query.protocol' | 'query.state', known: readonly string[], texts: Texts): Reader {
  return (value) => {
    const isKnown = value.includes('*') || known.includes(value.toLowerCase());
    return isKnown ? wildcardTest(value, texts) : phrase(wrong, { value, known: known.join(', ') });
  };
}

const wordTest = (text: string): Test =>
  wildcardTest(`*${text}*`, ({ flow, lane }) => [
    ...hostsOf(flow).map((host) => `${host}:${flow.port}`),
    flow.address,
    lane?.app,
    lane?.name,
    flow.process,
  ]);

/** The names that an app has gone to; where it has said none, the address is the host. */
function hostsOf({ host, serverName, address }: FlowView): string[] {
  const names = [host, serverName].filter((name) => name !== undefined);
  return names.length === 0 ? [address] : names;
}

/** As in rules: `example.com` is that name, `.example.com` and all below it, `*.example.com` all below it. */
function hostTest(value: string): Test | Phrase {
  const texts: Texts = ({ flow }) => hostsOf(flow);
  if (!value.startsWith('.')) return wildcardTest(value, texts);
  if (value === '.') return phrase('query.dot');
  const [itself, below] = [wildcardTest(value.slice(1), texts), wildcardTest(`*${value}`, texts)];
  return (subject) => itself(subject) || below(subject);
}

function addressTest(value: string): Test | Phrase {
  const range = parseAddressRange(value);
  if (range !== undefined) {
    return ({ flow }) => {
      const address = parseAddress(flow.address);
      return address !== undefined && isWithin(range, address);
    };
  }
  if (!/^[0-9a-f.:*]+$/i.test(value) || !value.includes('*')) return phrase('query.address', { value });
  return wildcardTest(value, ({ flow }) => [flow.address]);
}

/** A way by all that people call it: whole, each server as `socks5://host:port`, `host:port` and `host`. */
function namesOfWay(via: string): string[] {
  return via.split(' → ').flatMap((server) => {
    const address = server.replace(/^[a-z0-9]+:\/\//, '');
    return [via, server, address, address.replace(/:[0-9]+$/, '').replace(/^\[(.*)\]$/, '$1')];
  });
}

function ofNumbers(
  wrong: 'query.pid' | 'query.port',
  most: number,
  numberOf: (flow: FlowView) => number | undefined,
): Reader {
  return (value) => {
    const [first = '', last = first, ...rest] = value.split('-');
    const [from, to] = [first, last].map((text) => (/^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN));
    if (from === undefined || to === undefined || rest.length > 0 || !(from <= to && to <= most))
      return phrase(wrong, { value });
    return ({ flow }) => {
      const number = numberOf(flow);
      return number !== undefined && from <= number && number <= to;
    };
  };
}

function ofAmounts(unit: Unit, amountOf: (subject: Subject) => number): Reader {
  return (value) => {
    const isFit = readComparison(value, unit);
    return typeof isFit === 'object' ? isFit : (subject) => isFit(amountOf(subject));
  };
}
