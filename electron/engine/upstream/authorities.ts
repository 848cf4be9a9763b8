/**
 * Whose certificates are believed: the authorities that come with Node, those of this system, and those that the
 * user names in NODE_EXTRA_CA_CERTS.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/** Where systems keep all of their authorities in one file: Debian and Arch, Fedora, openSUSE, Alpine. */
const systemFiles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

let context: SecureContext | undefined;

/** Read once per process, at the first connection that needs it. Node has read NODE_EXTRA_CA_CERTS only for its own default. */
export function authorities(env: NodeJS.ProcessEnv = process.env): SecureContext {
  context ??= createSecureContext({
    ca: [...rootCertificates, ...system(), ...extra(env)],
    minVersion: 'TLSv1.2',
  });
  return context;
}

function system(): string[] {
  const file = systemFiles.find((path) => existsSync(path));
  return file === undefined ? [] : [readFileSync(file, 'utf8')];
}

/** As in Node, a file that cannot be read adds nothing. */
function extra({ NODE_EXTRA_CA_CERTS: path }: NodeJS.ProcessEnv): string[] {
  if (path === undefined || path === '') return [];
  try {
    return [readFileSync(path, 'utf8')];
  } catch {
    return [];
  }
}
