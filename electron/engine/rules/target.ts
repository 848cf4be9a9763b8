/** What is known of a flow, in the form in which rules compare it. */
import { parseAddress, type Address } from './address.ts';
import type { FlowFacts } from './facts.ts';
import { comparableName } from './pattern.ts';

export interface Target {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly name: string | undefined;
  readonly address: Address | undefined;
  readonly apps: readonly string[];
  /** Undefined while it is not known, null when it cannot be. */
  readonly process: string | null | undefined;
  readonly profile: string | undefined;
}

/** A host that is an address counts as the address, not as a name. */
export function targetOf({ protocol, port, host, address, apps, process, profile }: FlowFacts): Target {
  const hostAddress = host === undefined ? undefined : parseAddress(host);
  return {
    protocol,
    port,
    name: host === undefined || hostAddress !== undefined ? undefined : comparableName(host),
    address: address === undefined ? hostAddress : parseAddress(address),
    apps: apps.map(comparableApp),
    process: typeof process === 'string' ? comparableProcess(process) : process,
    profile,
  };
}

/**
 * Paths as they are; ids and names of programs in small letters and without the `.desktop` that the files of
 * desktop entries end with, which is no part of the id that people see.
 */
export function comparableApp(app: string): string {
  if (app.includes('/')) return app;
  const small = app.toLowerCase();
  return small.endsWith('.desktop') && small !== '.desktop' ? small.slice(0, -'.desktop'.length) : small;
}

/** As the kernel keeps it, cut after 15 bytes (proc(5), /proc/pid/comm), for rules that have the whole name. */
export function comparableProcess(name: string): string {
  if (Buffer.byteLength(name) <= maxCommBytes) return name;
  return Buffer.from(name).subarray(0, maxCommBytes).toString();
}

const maxCommBytes = 15;
