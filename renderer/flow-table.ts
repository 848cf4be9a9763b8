/** What the table of connections shows: its columns, and which connections match what was typed. */
import { isOver } from './stores/flows.ts';
import type { FlowView } from '#shared/model.ts';

export const flowColumns = [
  { name: 'state', width: '96px', isFigure: false },
  { name: 'app', width: 'minmax(64px, 1fr)', isFigure: false },
  { name: 'process', width: 'minmax(64px, 1fr)', isFigure: false },
  { name: 'host', width: 'minmax(110px, 3fr)', isFigure: false },
  { name: 'port', width: '48px', isFigure: true },
  { name: 'proto', width: '60px', isFigure: false },
  { name: 'rule', width: 'minmax(40px, 0.8fr)', isFigure: false },
  { name: 'down', width: '66px', isFigure: true },
  { name: 'up', width: '66px', isFigure: true },
  { name: 'age', width: '92px', isFigure: true },
] as const;
export type FlowColumn = (typeof flowColumns)[number]['name'];

/** The name that the app asked for, else the one that TLS told, else the address. */
export function hostOf(flow: FlowView): string {
  return flow.host ?? flow.serverName ?? flow.address;
}

/** Newest first: those that are open, or those that are over, in which every typed word occurs. */
export function selectFlows(
  flows: Iterable<FlowView>,
  wanted: { readonly isClosed: boolean; readonly find: string },
  nameOf: (lane: string) => string,
): FlowView[] {
  const words = wanted.find.toLowerCase().split(/\s+/).filter(Boolean);
  const found: FlowView[] = [];
  for (const flow of flows) {
    if (isOver(flow) !== wanted.isClosed) continue;
    if (words.length > 0 && !matches(flow, words, nameOf(flow.lane))) continue;
    found.push(flow);
  }
  return found.reverse();
}

function matches(flow: FlowView, words: readonly string[], app: string): boolean {
  const text =
    `${app} ${flow.process ?? ''} ${flow.host ?? ''} ${flow.serverName ?? ''} ${flow.address} ${flow.port} ${flow.proto} ${flow.rule ?? ''}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
