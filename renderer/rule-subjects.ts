/** Open connections as rules see them, for a rule to be tried on. Plain functions. */
import type { ShownLane } from '#shared/contract.ts';
import type { FlowView } from '#shared/model.ts';
import { maxSubjects, type RuleSubject } from '#shared/rule-protocol.ts';
import { isOver } from './flow-ledger.ts';

export interface Subjects {
  readonly subjects: readonly RuleSubject[];
  /** The connections that each of them stands for: to the rules they are the same. */
  readonly flows: readonly (readonly FlowView[])[];
  readonly count: number;
  /** Of apps that were given a proxy on the command line: rules are not for them. */
  readonly without: number;
  /** More that were left out. */
  readonly rest: number;
}

/** Of the open ones the newest first. */
export function subjectsOf(flows: Iterable<FlowView>, lanes: readonly ShownLane[]): Subjects {
  const apps = new Map(lanes.map((lane) => [lane.id, lane.apps ?? [lane.app]]));
  const found = new Map<string, { readonly subject: RuleSubject; readonly flows: FlowView[] }>();
  let [count, without, rest] = [0, 0, 0];
  for (const flow of [...flows].reverse()) {
    if (isOver(flow)) continue;
    if (flow.profile?.id === undefined) {
      without += 1;
      continue;
    }
    const subject = subjectOf(flow, flow.profile.id, apps.get(flow.lane) ?? [flow.app ?? '']);
    const key = JSON.stringify(subject);
    const known = found.get(key);
    if (known === undefined && found.size >= maxSubjects) {
      rest += 1;
      continue;
    }
    count += 1;
    if (known === undefined) found.set(key, { subject, flows: [flow] });
    else known.flows.push(flow);
  }
  const all = [...found.values()];
  return {
    subjects: all.map(({ subject }) => subject),
    flows: all.map((one) => one.flows),
    ...{ count, without, rest },
  };
}

/** Where a connection goes, as people know it. */
export function whereTo({ host, serverName, address, port }: FlowView): string {
  const name = host ?? serverName ?? address;
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`;
}

/** The address of a connection that was asked for by name is only a stand-in for the name. */
function subjectOf(flow: FlowView, profile: string, apps: readonly string[]): RuleSubject {
  const { host, serverName, address, process, port, proto } = flow;
  const name = host ?? serverName;
  return {
    apps: apps.filter((app) => app.length <= 4096).slice(0, 10),
    profile,
    ...(process === undefined ? {} : { process: process.slice(0, 64) }),
    ...(name === undefined ? {} : { host: name.slice(0, 255) }),
    ...(host === undefined ? { address } : {}),
    port,
    protocol: proto,
  };
}
