/**
 * What `culvert demo` starts on a lane to get around the proxy: each attempt is really made, and what happened
 * is printed as one JSON object. It judges nothing; demo-report.ts does.
 */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import * as v from 'valibot';
import { print } from './output.ts';

const endpoint = v.strictObject({ host: v.string(), port: v.number() });

/** Where to the attempts go. Addresses outside this computer are from the documentation ranges (RFC 5737, 3849). */
const probePlan = v.strictObject({
  page: endpoint,
  tcp4: endpoint,
  tcp6: endpoint,
  udp: endpoint,
  resolver: v.string(),
  name: v.string(),
  ping: v.string(),
});
export type ProbePlan = v.InferOutput<typeof probePlan>;

/**
 * `answered`: bytes came back. `open`: connected, silent, not closed. `ended`: connected and then closed or
 * reset. `failed`: an error, which is in `detail`. `silent`: neither answer nor error. `absent`: not tried.
 */
const outcome = v.strictObject({
  kind: v.picklist(['answered', 'open', 'ended', 'failed', 'silent', 'absent']),
  detail: v.string(),
  ms: v.number(),
});
export type Outcome = v.InferOutput<typeof outcome>;

export const probeResult = v.strictObject({
  page: outcome,
  tcp4: outcome,
  tcp6: outcome,
  udp: outcome,
  dns: outcome,
  ping: outcome,
  /** Interfaces that the app can see. */
  interfaces: v.array(v.string()),
});
export type ProbeResult = v.InferOutput<typeof probeResult>;

const patienceMs = 4000;

export async function demoProbe(planText: string): Promise<void> {
  const plan = v.parse(probePlan, JSON.parse(planText));
  const [page, tcp4, tcp6, udp, dns, ping] = await Promise.all([
    tryTcp(plan.page),
    tryTcp(plan.tcp4),
    tryTcp(plan.tcp6),
    tryUdp(plan.udp),
    tryDns(plan.resolver, plan.name),
    tryPing(plan.ping),
  ]);
  const result: ProbeResult = { page, tcp4, tcp6, udp, dns, ping, interfaces: interfaceNames() };
  print(JSON.stringify(result));
}

/** Connects, asks for `/` as a browser would, and tells what came. */
export function tryTcp(to: { host: string; port: number }): Promise<Outcome> {
  return attempt((tell) => {
    let isConnected = false;
    const socket = connect({ ...to, family: to.host.includes(':') ? 6 : 4 }, () => {
      isConnected = true;
      socket.write(`GET / HTTP/1.0\r\nHost: demo\r\n\r\n`);
    });
    socket.on('data', () => {
      tell('answered', 'bytes came back');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      tell(isConnected ? 'ended' : 'failed', error.code ?? error.message);
    });
    socket.on('close', () => {
      tell('ended', 'closed');
    });
    return {
      late: () => (isConnected ? ['open', 'connected, but silent'] : ['silent', 'no answer to the connect']),
      release: () => socket.destroy(),
    };
  });
}

function tryUdp(to: { host: string; port: number }): Promise<Outcome> {
  return attempt((tell) => {
    const socket = createSocket('udp4');
    socket.on('error', (error: NodeJS.ErrnoException) => {
      tell('failed', error.code ?? error.message);
    });
    socket.on('message', () => {
      tell('answered', 'a datagram came back');
    });
    socket.connect(to.port, to.host, () => {
      socket.send('culvert demo', (error: NodeJS.ErrnoException | null) => {
        if (error?.code !== undefined) tell('failed', error.code);
      });
    });
    return {
      late: () => ['silent', 'no answer and no error'],
      release: () => socket.close(),
    };
  });
}

/** Asks a resolver by its address, past resolv.conf. The addresses in the answer are the detail. */
function tryDns(server: string, name: string): Promise<Outcome> {
  return attempt((tell) => {
    const resolver = new Resolver({ timeout: patienceMs, tries: 1 });
    resolver.setServers([server]);
    resolver.resolve4(name).then(
      (addresses) => {
        tell('answered', addresses.join(' '));
      },
      (error: unknown) => {
        tell('failed', (error as NodeJS.ErrnoException).code ?? String(error));
      },
    );
    return {
      late: () => ['silent', 'no answer'],
      release: () => {
        resolver.cancel();
      },
    };
  });
}

function tryPing(host: string): Promise<Outcome> {
  return attempt((tell) => {
    const said = (error: Error | null, stdout: string, stderr: string) => {
      const filtered = /^From .*$/m.exec(stdout)?.[0];
      if (error === null) tell('answered', 'an echo came back');
      else if ((error as NodeJS.ErrnoException).code === 'ENOENT') tell('absent', 'ping is not installed');
      else if (stderr !== '' || filtered !== undefined) tell('failed', firstLine(stderr) || (filtered ?? ''));
      else tell('silent', 'no echo came back, and no refusal');
    };
    try {
      const child = execFile('ping', ['-n', '-c', '1', '-W', '1', host], said);
      return {
        late: () => ['silent', 'no echo came back, and no refusal'],
        release: () => child.kill('SIGKILL'),
      };
    } catch (error) {
      // A ping with file capabilities that this process may not have is not even started (execve(2), EPERM).
      tell('failed', (error as NodeJS.ErrnoException).code ?? String(error));
      return { late: () => ['silent', ''], release: () => undefined };
    }
  });
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

interface Attempt {
  readonly late: () => [Outcome['kind'], string];
  readonly release: () => unknown;
}

/** Runs one attempt until it tells or patience ends; the first word counts. */
function attempt(
  begin: (tell: (kind: Outcome['kind'], detail: string) => void) => Attempt,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let isTold = false;
    const tell = (kind: Outcome['kind'], detail: string) => {
      if (isTold) return;
      isTold = true;
      clearTimeout(timer);
      // After the caller has returned what is to be released.
      setImmediate(() => running.release());
      resolve({ kind, detail, ms: Math.round(performance.now() - startedAt) });
    };
    const timer = setTimeout(() => {
      tell(...running.late());
    }, patienceMs);
    const running = begin(tell);
  });
}

/** Out of /proc/net/dev, which shows the reader's own network namespace. */
function interfaceNames(): string[] {
  return parseInterfaces(readFileSync('/proc/net/dev', 'utf8')).map(({ name }) => name);
}

/** The interfaces in the text of /proc/net/dev with the packets that each has sent (proc_pid_net(5)). */
export function parseInterfaces(text: string): { name: string; sent: number }[] {
  return text
    .split('\n')
    .slice(2)
    .flatMap((line) => {
      const match = /^\s*([^:]+):\s*(.*)$/.exec(line);
      if (match?.[1] === undefined || match[2] === undefined) return [];
      return [{ name: match[1], sent: Number(match[2].trim().split(/\s+/)[9] ?? 0) }];
    });
}
