/**
 * The proxy that the desktop is set to: KDE's out of its file, that of GNOME and others through the desktop portal,
 * which knows where it is set (org.freedesktop.portal.ProxyResolver, xdg-desktop-portal).
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { MessageBus } from '#shared/control/message-bus.ts';
import { readProxy } from '../typed-proxies.ts';
import type { FoundHere } from './index.ts';

const portal = 'org.freedesktop.portal.Desktop';
const portalPath = '/org/freedesktop/portal/desktop';
const resolver = 'org.freedesktop.portal.ProxyResolver';
/** Nobody is asked for it: an address needs no look-up, and this one is for documentation (RFC 5737). */
const anyPage = 'https://192.0.2.1/';

/** Without passwords; none where the desktop uses no proxy or does not say. */
export async function desktopProxies(env: NodeJS.ProcessEnv): Promise<FoundHere[]> {
  const isKde = (env['XDG_CURRENT_DESKTOP'] ?? '').split(':').includes('KDE');
  const texts = isKde ? kdeProxies(kdeSettings(env)) : await portalProxies(env);
  return texts.flatMap((text): FoundHere[] => {
    try {
      const read = readProxy(text, {});
      const { password: _, ...upstream } = read.upstream;
      return [{ source: 'desktop', upstreams: [upstream], name: read.name }];
    } catch {
      // `direct://`, or what no proxy is.
      return [];
    }
  });
}

function kdeSettings(env: NodeJS.ProcessEnv): string {
  const given = env['XDG_CONFIG_HOME'];
  const dir = given !== undefined && isAbsolute(given) ? given : join(env['HOME'] ?? homedir(), '.config');
  try {
    return readFileSync(join(dir, 'kioslaverc'), 'utf8');
  } catch {
    // Nothing was ever set.
    return '';
  }
}

/** The proxies of a kioslaverc that is set to use them by hand: `socksProxy=socks://host 1080`. SOCKS comes first. */
export function kdeProxies(text: string): string[] {
  const [, group = ''] = /^\[Proxy Settings\]\s*$([^]*?)(?=^\[|(?![^]))/m.exec(text) ?? [];
  const entries = new Map(
    group.split('\n').flatMap((line): [string, string][] => {
      const [, name, value] = /^\s*(\w+)(?:\[\$\w+\])?\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
  // KProtocolManager::ManualProxy.
  if (entries.get('ProxyType') !== '1') return [];
  return ['socksProxy', 'httpsProxy', 'httpProxy']
    .flatMap((name) => entries.get(name) ?? [])
    .filter((value) => value !== '')
    .map((value) => value.replace(/\s+([0-9]{1,5})$/, ':$1'))
    .filter((value, index, all) => all.indexOf(value) === index);
}

async function portalProxies(env: NodeJS.ProcessEnv): Promise<string[]> {
  const bus = new MessageBus(env);
  try {
    if (!(await bus.begin())) return [];
    const call = { destination: portal, path: portalPath, interface: resolver, member: 'Lookup' };
    const answer = await bus.call({ ...call, strings: [anyPage] });
    return answer === undefined ? [] : stringsIn(answer);
  } finally {
    bus.close();
  }
}

/** A list of strings (D-Bus Specification, `as`): its length in bytes, then each with its own length and a NUL. */
export function stringsIn(body: Buffer): string[] {
  const found: string[] = [];
  if (body.length < 4) return found;
  const end = Math.min(body.length, 4 + body.readUInt32LE(0));
  for (let at = 4; at + 4 <= end;) {
    const length = body.readUInt32LE(at);
    if (at + 4 + length > end) break;
    found.push(body.toString('utf8', at + 4, at + 4 + length));
    at = Math.ceil((at + 4 + length + 1) / 4) * 4;
  }
  return found;
}
