/** A certificate authority of the world's own, and a certificate of it for the world's servers. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { internet } from './addresses.ts';

export interface Certificates {
  /** The authority, for `curl --cacert` and the like. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

const names = [
  'DNS:example.test',
  'DNS:*.example.test',
  'DNS:proxy.test',
  ...[internet.web4, internet.web6, internet.proxy4, '127.0.0.1'].map((address) => `IP:${address}`),
];

/** Writes PEM files into a directory. The key is readable by all: it protects nothing. */
export function makeCertificates(dir: string): Certificates {
  const authority = join(dir, 'authority.pem');
  const certificate = join(dir, 'server.pem');
  const [authorityKey, key] = [join(dir, 'authority.key'), join(dir, 'server.key')];
  const fresh = freshCertificate(30);
  openssl([...fresh, '-subj', '/CN=Culvert test authority', '-keyout', authorityKey, '-out', authority]);
  const signed = ['-CA', authority, '-CAkey', authorityKey, '-addext', `subjectAltName=${names.join(',')}`];
  const leaf = ['-subj', '/CN=example.test', '-addext', 'basicConstraints=critical,CA:FALSE'];
  openssl([...fresh, ...signed, ...leaf, '-keyout', key, '-out', certificate]);
  return { authority, certificate, key };
}

/** How openssl(1) is asked for a key on P-256 and a certificate for it. */
export function freshCertificate(days: number): string[] {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  return ['req', '-x509', ...key, '-days', String(days)];
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
