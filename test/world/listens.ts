/** Waiting for a server without being its first client. */
import { readFileSync } from 'node:fs';
import type { Running } from './running.ts';

/**
 * Whether something listens on the port in the network namespace of the process, read from its socket table
 * (proc(5)): a probing connection would count as the first client.
 */
export function listens({ pid, stderr, hasEnded }: Running, port: number): boolean {
  if (hasEnded) throw new Error(`it ended before it listened: ${stderr}`);
  const tables = ['tcp', 'tcp6'].map((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8'));
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const listening = '0A';
  return tables.some((table) =>
    table.split('\n').some((line) => {
      const [, local, , state] = line.trim().split(/\s+/);
      return state === listening && local?.endsWith(suffix) === true;
    }),
  );
}
