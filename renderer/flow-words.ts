/** A connection as a line of text, as a query that finds it, as an address, and as the match of a rule. Plain. */
import type { RuleMatch } from '#shared/profile.ts';
import { formatTerm, type QueryKey, type QueryTerm } from '#shared/query.ts';
import { hostOf, type FlowRow } from './flow-ledger.ts';
import { valueOf } from './query-completion.ts';

/** Where it goes: `name:443`, an IPv6 address in brackets. */
export function addressOf({ flow }: FlowRow): string {
  const host = hostOf(flow);
  return `${host.includes(':') ? `[${host}]` : host}:${flow.port}`;
}

/** The term that finds what has the same value there; undefined for a connection without one. */
export function termOf(row: FlowRow, key: QueryKey, isNegated: boolean): QueryTerm | undefined {
  const value = valueOf(row, key);
  return value === undefined || value === '' ? undefined : { key, isNegated, values: [value] };
}

/** A query that takes these connections, and others that are like them. */
export function queryOfRows(rows: readonly FlowRow[]): string {
  const keys = ['app', 'host', 'port', 'proto'] as const;
  return keys
    .flatMap((key) => {
      const [first, ...more] = [...new Set(rows.map((row) => valueOf(row, key) ?? ''))];
      return first === undefined ? [] : [formatTerm({ key, isNegated: false, values: [first, ...more] })];
    })
    .join(' ');
}

/** What a rule about these connections would match: their apps, where they go, and on which ports. */
export function ruleMatchOf(rows: readonly FlowRow[]): RuleMatch {
  const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];
  const apps = distinct(rows.flatMap(({ flow }) => (flow.app === undefined ? [] : [flow.app])));
  const protocols = distinct(rows.map(({ flow }) => flow.proto));
  const [protocol] = rows.map(({ flow }) => flow.proto);
  return {
    ...(apps.length === 0 ? {} : { apps }),
    to: distinct(rows.map(({ flow }) => hostOf(flow))),
    ports: distinct(rows.map(({ flow }) => String(flow.port))),
    ...(protocols.length === 1 && protocol !== undefined ? { protocol } : {}),
  };
}
