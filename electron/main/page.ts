/**
 * Serves the built page to the window as app://culvert/.
 *
 * Does: answers with the files that were there at the start, each under its name, and with the page's policy.
 * Must not: turn a request into a path: what is not one of these names is not found.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { protocol, type Session } from 'electron';
import { iconAsked } from '#shared/contract.ts';
import { pageOrigin, pagePolicy, pageScheme } from './page-policy.ts';

type AskedIcon = NonNullable<ReturnType<typeof iconAsked>>;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** Makes the scheme one with an origin; before Electron is ready. */
export function declarePageScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: pageScheme, privileges: { standard: true, secure: true, codeCache: true } },
  ]);
}

/** Serves the files below `dir` to one session, and below /icon/ what `iconOf` answers. */
export function servePage(
  session: Session,
  dir: string,
  iconOf: (asked: AskedIcon) => Promise<Response>,
): void {
  const files = filesBelow(dir);
  session.protocol.handle(pageScheme, (request) => {
    const notFound = new Response(null, { status: 404 });
    if (request.method !== 'GET') return notFound;
    const icon = iconAsked(new URL(request.url));
    if (icon !== undefined) return iconOf(icon);
    const file = files.get(withoutQuery(request.url));
    if (file === undefined) return notFound;
    return new Response(new Uint8Array(file.bytes), { headers: headersFor(file.type) });
  });
}

function headersFor(type: string): Record<string, string> {
  return {
    'content-type': type,
    'content-security-policy': pagePolicy,
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=()',
    'cache-control': 'no-cache',
  };
}

/** Address to file; files of a kind that the page does not have are left out. */
function filesBelow(dir: string): Map<string, { bytes: Buffer; type: string }> {
  const entries = readdirSync(dir, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    files.flatMap((path) => {
      const type = types[extname(path)];
      if (type === undefined) return [];
      return [[`${pageOrigin}/${relative(dir, path)}`, { bytes: readFileSync(path), type }] as const];
    }),
  );
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '');
}
