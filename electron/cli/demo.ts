/**
 * `culvert demo`: curl on a lane through a proxy that is built in, flow by flow, and then honest attempts to get
 * around that proxy. Needs no proxy, sends nothing to any other computer, leaves nothing behind. What it says of
 * the host is what it compared, no more.
 */
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { constants, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import * as v from 'valibot';
import { Engine, type Lane, type ProfileChoice, givenProfile, terminal } from '#engine';
import { CulvertError, describe, failureOf } from '#shared/failure.ts';
import type { FlowView } from '#shared/model.ts';
import { version } from '#shared/version.ts';
import { type Limit, ownRuntime, ownStanding, payloadOf, rememberLimits } from './caller.ts';
import { SocketWatch, compareHosts, packetsSent, readHost, type HostState } from './demo-host.ts';
import { type ProbePlan, probeResult, tryTcp } from './demo-probe.ts';
import { type Verdict, flowHeading, flowRow, judge, verdictRows } from './demo-report.ts';
import { DemoPage, DemoProxy } from './demo-server.ts';
import { type VerbExit, exitOfVerb, verbExit } from './exit-codes.ts';
import { type Style, complain, count, formatBytes, print, printable, styleFor } from './output.ts';
import { isolationOf } from './run-request.ts';

export interface DemoOptions {
  readonly isolation: string;
}

const pageName = 'page.demo.test';
const pageText = 'Hello. You came here by name, through a proxy, from an isolated network.';
const fileBytes = 16 * 1024 * 1024;
/** The page thinks this long, so that its connection can be looked up while it is open. */
const thinkMs = 80;
const lookEveryMs = 10;

export async function demo(options: DemoOptions, productDir: string): Promise<VerbExit> {
  const curl = findProgram('curl');
  if (curl === undefined) {
    complain(
      'the demo cannot start — it shows curl on a lane, and curl is not installed — install curl and try again',
    );
    return verbExit.failed;
  }
  const style = styleFor(1);
  let onSignal: (signal: NodeJS.Signals) => void = () => undefined;
  const interrupted = new Promise<NodeJS.Signals>((resolve) => {
    onSignal = resolve;
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, onSignal);
  const outcome = await perform({ options, productDir, curl, style, interrupted });
  return typeof outcome === 'number' ? outcome : terminal.dieBy(constants.signals[outcome]);
}

/** The show with a directory for its files, which goes with it. */
async function perform(stage: Omit<Stage, 'dir'>): Promise<VerbExit | NodeJS.Signals> {
  const dir = mkdtempSync(join(tmpdir(), 'culvert-demo-'));
  try {
    return await show({ ...stage, dir });
  } catch (error) {
    const failure = failureOf(error);
    complain(`the demo could not be finished: ${describe(failure)}`);
    return exitOfVerb(failure.code);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Stage {
  readonly options: DemoOptions;
  readonly productDir: string;
  readonly curl: string;
  readonly dir: string;
  readonly style: Style;
  readonly interrupted: Promise<NodeJS.Signals>;
}

/** Owns everything that has to end: servers, engine, lanes. A signal ends the show and is the result. */
async function show(stage: Stage): Promise<VerbExit | NodeJS.Signals> {
  const startedAt = Date.now();
  const limit = rememberLimits((resource) => terminal.limit(resource));
  const before = await readHost();
  const sentBefore = packetsSent();
  await using page = await DemoPage.start(`${pageText}\n`, fileBytes, thinkMs);
  const credentials = { user: 'demo', password: randomBytes(6).toString('hex') };
  await using proxy = await DemoProxy.start(credentials, { host: pageName, port: 80, realPort: page.port });
  const isolation = isolationOf(stage.options.isolation);
  const hasTerminal = ownStanding().isForeground;
  await using engine = await Engine.start({ isolation, hasTerminal, productDir: stage.productDir });
  const upstream = { kind: 'socks5', host: '127.0.0.1', port: proxy.port, ...credentials } as const;
  const profile = givenProfile({ upstreams: [upstream], dns: { mode: 'fake' }, udp: 'allow' });
  const play = new Play({ ...stage, engine, profile, proxy, page, limit, startedAt });
  const whole = async (): Promise<VerbExit> => {
    await play.introduce();
    await play.fetch();
    const verdicts = await play.escape();
    await engine.close();
    const states = [before, ...play.hostStates, await readHost()];
    play.conclude(verdicts, states, packetsSent() - sentBefore);
    return verdicts.some(({ mark }) => mark === 'leaked') ? verbExit.leakFound : verbExit.ok;
  };
  return await Promise.race([stage.interrupted, whole()]);
}

interface Scene extends Stage {
  readonly engine: Engine;
  readonly profile: ProfileChoice;
  readonly proxy: DemoProxy;
  readonly page: DemoPage;
  readonly limit: (resource: number) => Limit;
  readonly startedAt: number;
}

/** The acts of the demo, in order. */
class Play {
  readonly hostStates: HostState[] = [];
  readonly #scene: Scene;
  readonly #processes = new Map<string, string>();
  readonly #shown = new Set<string>();
  #bytes = 0;
  #looks = 0;
  #peersOutside: readonly string[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
    scene.engine.on('flow', (flow) => {
      this.#showFlow(flow);
    });
  }

  async introduce(): Promise<void> {
    const { bold } = this.#scene.style;
    const startedAt = performance.now();
    const helper = await this.#scene.engine.prepare();
    const ms = Math.round(performance.now() - startedAt);
    const way = helper.mode === 'rootless' ? 'made without any privilege' : 'made by the helper, as root';
    print(`${bold('Culvert demo')}  one app, one proxy, and no way around it (version ${version})`);
    print('');
    print(
      `  proxy  socks5://127.0.0.1:${this.#scene.proxy.port}  built in, for this demo; wants a user name and a password`,
    );
    print(`  page   http://${pageName}/  built in; only the proxy knows this name, no DNS server does`);
    print(`  lane   an isolated network whose only way out is the proxy; ${way} (ready in ${ms} ms)`);
    print('');
  }

  /** curl on a lane: a page by its name, then a file whose bytes are compared. */
  async fetch(): Promise<void> {
    const { bold, dim } = this.#scene.style;
    const [text, file] = [join(this.#scene.dir, 'page'), join(this.#scene.dir, 'file')];
    print(bold('1. curl on a lane'));
    print('');
    print(
      `  $ culvert run --proxy socks5://demo@127.0.0.1:${this.#scene.proxy.port} -- curl http://${pageName}/`,
    );
    print('');
    print(`  ${dim(flowHeading)}`);
    const urls = ['-o', text, `http://${pageName}/`, '-o', file, `http://${pageName}/file`];
    await this.#onLane(
      [this.#scene.curl, '-q', '-sS', '--noproxy', '*', '--max-time', '20', ...urls],
      'curl',
    );
    const named = this.#scene.proxy.log.filter(
      ({ form, host }) => form === 'name' && host === pageName,
    ).length;
    const isSame =
      createHash('sha256').update(readFileSync(file)).digest('hex') === this.#scene.page.fileHash;
    if (readFileSync(text, 'utf8') !== this.#scene.page.text || !isSame) {
      throw new CulvertError('internal', {
        step: 'demo',
        detail: 'curl did not get the bytes that the page sent',
      });
    }
    print('');
    print(`  The page said: “${pageText}”`);
    print(`  The file came whole: ${formatBytes(fileBytes)}, SHA-256 equal on both sides.`);
    print(
      `  The proxy was asked ${count(named, 'time')} for the name “${pageName}”: it was not looked up on this computer.`,
    );
    print('');
  }

  /** Another app on a lane tries to get past the proxy, each way that programs have. */
  async escape(): Promise<Verdict[]> {
    const { bold, dim, green, red, yellow } = this.#scene.style;
    const plan: ProbePlan = {
      page: { host: '127.0.0.1', port: this.#scene.page.port },
      tcp4: { host: '203.0.113.7', port: 443 },
      tcp6: { host: '2001:db8::7', port: 443 },
      udp: { host: '203.0.113.7', port: 4500 },
      resolver: '192.0.2.53',
      name: pageName,
      ping: '203.0.113.7',
    };
    const outside = await tryTcp(plan.page);
    if (outside.kind !== 'answered') {
      throw new CulvertError('internal', {
        step: 'demo',
        detail: `the page did not answer outside: ${outside.detail}`,
      });
    }
    print(bold('2. Attempts to get around the proxy'));
    print('');
    print(`  ${dim(flowHeading)}`);
    const known = this.#scene.proxy.log.length;
    const script = process.argv[1] ?? '';
    const printed = await this.#onLane(
      [process.execPath, script, 'demo-probe', JSON.stringify(plan)],
      'probe',
    );
    const result = v.parse(probeResult, JSON.parse(printed));
    const verdicts = judge(plan, result, this.#scene.proxy.log.slice(known));
    print('');
    const paint = { kept: green, leaked: red, unclear: yellow, skipped: dim };
    for (const row of verdictRows(verdicts, (mark, sign) => paint[mark](sign))) print(`  ${row}`);
    print('');
    print(`  The app saw these network interfaces: ${printable(result.interfaces.sort().join(', '))}.`);
    print('');
    return verdicts;
  }

  conclude(verdicts: readonly Verdict[], states: readonly HostState[], sent: number): void {
    const { bold, green, red, yellow, dim } = this.#scene.style;
    const by = (mark: Verdict['mark']) => verdicts.filter((verdict) => verdict.mark === mark).length;
    const { changed, compared, unread } = compareHosts(states);
    print(bold('3. What this computer noticed'));
    print('');
    const attempts = `${count(by('kept'), 'attempt')} ended at the proxy or on the lane`;
    if (by('leaked') > 0)
      print(`  ${red('✗')} ${count(by('leaked'), 'attempt')} got past the proxy. Please report this.`);
    else if (by('unclear') > 0)
      print(`  ${yellow('?')} ${attempts}; ${by('unclear')} could not be judged from here.`);
    else print(`  ${green('✓')} ${attempts}, none got past it.`);
    const peers = this.#peersOutside;
    print(
      peers.length === 0
        ? `  ${green('✓')} Culvert's own sockets led nowhere but 127.0.0.1 (looked at ${count(this.#looks, 'time')} while the apps ran).`
        : `  ${yellow('?')} A socket of Culvert's led to ${peers.join(', ')}.`,
    );
    print(
      changed.length === 0
        ? `  ${green('✓')} Nothing on this computer changed. Compared before, during and after:\n    ${compared.join(', ')}.`
        : `  ${yellow('?')} Changed meanwhile, by Culvert or by something else: ${changed.join(', ')}.`,
    );
    if (unread.length > 0)
      print(`  ${dim('–')} Not compared, because you may not read it here: ${unread.join(', ')}.`);
    print(
      sent === 0
        ? `  ${green('✓')} The network interfaces other than loopback sent no packet in that time.`
        : `  ${dim('–')} Other programs use the network now (${count(sent, 'packet')} sent), so counting packets proves nothing here.`,
    );
    print('');
    const seconds = ((Date.now() - this.#scene.startedAt) / 1000).toFixed(1);
    print(`${count(this.#shown.size, 'flow')}, ${formatBytes(this.#bytes)}, ${seconds} seconds. Next:`);
    print('');
    print(
      '  culvert run --proxy socks5://USER@HOST:PORT -- COMMAND    with a proxy of yours; it asks for the password',
    );
    print('  culvert doctor                                            what this computer can do');
    print('  culvert help run                                          all options');
  }

  /** Runs a command on a new lane until the lane is empty; answers what it printed. Throws when it failed. */
  async #onLane(argv: readonly [string, ...string[]], name: string): Promise<string> {
    const out = join(this.#scene.dir, `${name}.out`);
    const files = [openSync('/dev/null', 'r'), openSync(out, 'w+'), openSync(`${out}.errors`, 'w+')] as const;
    try {
      using watch = new SocketWatch(lookEveryMs);
      const lane = await this.#scene.engine.openLane({
        name,
        apps: [name],
        profile: this.#scene.profile,
        payload: payloadOf(argv, { ...demoEnvironment(process.env), ...ownRuntime() }, this.#scene.limit),
        terminal: 'none',
        stdio: files,
      });
      const during = readHost();
      await this.#finish(lane, `${out}.errors`);
      this.hostStates.push(await during);
      watch.look();
      this.#looks += watch.looks;
      this.#peersOutside = [...new Set([...this.#peersOutside, ...watch.outside])];
      return readFileSync(out, 'utf8');
    } finally {
      for (const file of files) closeSync(file);
    }
  }

  async #finish(lane: Lane, errors: string): Promise<void> {
    const exit = await lane.exit;
    await lane.empty;
    if (exit.kind === 'failed') throw new CulvertError(exit.failure.code, exit.failure);
    if (exit.kind === 'code' && exit.code === 0) return;
    const end = exit.kind === 'code' ? `exit status ${exit.code}` : `signal ${exit.signal}`;
    const said = readFileSync(errors, 'utf8').trim().split('\n').at(-1) ?? '';
    throw new CulvertError('launch-failed', { step: lane.view().name, detail: `${end}. ${said}`.trim() });
  }

  #showFlow(flow: FlowView): void {
    const key = `${flow.lane}/${flow.id}`;
    if (flow.process !== undefined) this.#processes.set(key, flow.process);
    if (flow.state === 'dialling' || flow.state === 'open' || this.#shown.has(key)) return;
    this.#shown.add(key);
    this.#bytes += flow.bytesUp + flow.bytesDown;
    const lane = this.#scene.engine.snapshot().lanes.find(({ id }) => id === flow.lane);
    const process = this.#processes.get(key) ?? lane?.name ?? '?';
    print(`  ${flowRow(flow, process, this.#scene.startedAt)}`);
  }
}

/** The caller's environment without proxies of other kinds, which would keep curl from going straight ahead. */
function demoEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/_proxy$/i.test(name)));
}

/** The path of a program in PATH. */
function findProgram(name: string): string | undefined {
  const dirs = (process.env['PATH'] ?? '').split(delimiter).filter((dir) => dir.startsWith('/'));
  return dirs.map((dir) => join(dir, name)).find((path) => existsSync(path));
}
