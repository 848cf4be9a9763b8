/** TLS servers with certificates of an authority of the tests' own. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { createHash, X509Certificate } from 'node:crypto';
import { freshCertificate } from '../../world/certificates.ts';
import { listen } from './scripted-proxy.ts';

export interface TestCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly fingerprint: string;
}

export interface TestCertificates extends Disposable {
  /** PEM of the authority, for NODE_EXTRA_CA_CERTS. */
  readonly authorityFile: string;
  /** For localhost and 127.0.0.1, by the authority. */
  readonly right: TestCertificate;
  /** For another name, by the authority. */
  readonly otherName: TestCertificate;
  /** For localhost and 127.0.0.1, by itself. */
  readonly selfSigned: TestCertificate;
}

/** Makes them in a directory that goes with them. */
export function makeTestCertificates(): TestCertificates {
  const dir = mkdtempSync(join(tmpdir(), 'culvert-tls-'));
  const make = (name: string, names: string, issuer?: string): TestCertificate => {
    const file = (kind: string): string => join(dir, `${name}.${kind}`);
    const signed =
      issuer === undefined ? [] : ['-CA', join(dir, `${issuer}.pem`), '-CAkey', join(dir, `${issuer}.key`)];
    const san = names === '' ? [] : ['-addext', `subjectAltName=${names}`];
    const fresh = freshCertificate(3);
    const out = ['-subj', `/CN=${name}`, '-keyout', file('key'), '-out', file('pem')];
    execFileSync('openssl', [...fresh, ...signed, ...san, ...out], { stdio: 'ignore' });
    const cert = readFileSync(file('pem'));
    const fingerprint = createHash('sha256').update(new X509Certificate(cert).raw).digest('hex');
    return { cert, key: readFileSync(file('key')), fingerprint };
  };
  make('authority', '');
  const here = 'DNS:localhost,IP:127.0.0.1';
  return {
    authorityFile: join(dir, 'authority.pem'),
    right: make('right', here, 'authority'),
    otherName: make('other', 'DNS:elsewhere.test', 'authority'),
    selfSigned: make('self', here),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** A server's side of one connection: TLS, and the socket below. */
export interface TlsClient {
  readonly secured: TLSSocket;
  readonly below: Socket;
}

/** Runs the test with the port of a TLS server; afterwards all of its connections are ended. */
export async function withTlsServer<T>(
  { cert, key }: TestCertificate,
  serve: (client: TlsClient) => void,
  test: (port: number, names: (string | false | null)[]) => Promise<T>,
  options: TlsOptions = {},
): Promise<T> {
  const sockets = new Set<Socket>();
  const names: (string | false | null)[] = [];
  const below = new Map<string, Socket>();
  const server = createServer(
    { cert, key, ALPNProtocols: ['http/1.1', 'h2'], ...options, allowHalfOpen: true },
    (secured) => {
      names.push(secured.servername, secured.alpnProtocol);
      secured.on('error', () => secured.destroy());
      const socket = below.get(`${secured.remoteAddress ?? ''}:${secured.remotePort ?? 0}`);
      if (socket !== undefined) serve({ secured, below: socket });
    },
  );
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    below.set(`${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`, socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  });
  const port = await listen(server);
  try {
    return await test(port, names);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Serves as the TLS in front of a proxy: everything goes to a port of this computer. */
export function inFrontOf(port: number): (client: TlsClient) => void {
  return ({ secured }) => {
    const plain = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    plain.on('error', () => secured.destroy());
    secured.pipe(plain).pipe(secured);
  };
}
