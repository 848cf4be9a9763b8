/** Proxies in the variables that most command-line programs obey. Plain functions. */
import { readProxy } from '../typed-proxies.ts';
import type { FoundHere } from './index.ts';

/** The one for everything first. */
const names = ['all_proxy', 'socks_proxy', 'https_proxy', 'http_proxy'];

/** Those that are understood, without their passwords. */
export function proxiesInVariables(env: NodeJS.ProcessEnv): FoundHere[] {
  return names
    .flatMap((name) => [name, name.toUpperCase()])
    .flatMap((name) => {
      const value = env[name];
      if (value === undefined || value === '') return [];
      return proxyIn(name, value);
    });
}

function proxyIn(name: string, value: string): FoundHere[] {
  const isSocks = /^socks/i.test(name);
  try {
    const read = readProxy(value.includes('://') || isSocks ? value : `http://${value}`, {});
    const { password: _, ...upstream } = read.upstream;
    return [{ source: 'environment', where: name, upstreams: [upstream], name: read.name }];
  } catch {
    // A proxy of another kind, or none at all: nothing that could be offered.
    return [];
  }
}
