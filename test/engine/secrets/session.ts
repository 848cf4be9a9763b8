/** A session bus of a test's own, with a real keyring on it, or one that is locked, stands still or is not there. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readlinkSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secrets, type SecretsOptions } from '../../../electron/engine/secrets/secrets.ts';
import { until } from '../../world/until.ts';
import { Running } from '../../world/running.ts';
import { repository } from '../../world/artefact.ts';

const dist = join(repository, 'dist');

export class Session implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'culvert-session-'));
  readonly config = join(this.dir, 'config');
  readonly env: NodeJS.ProcessEnv;
  readonly #started: ChildProcess[] = [];

  constructor() {
    this.env = {
      PATH: process.env['PATH'],
      HOME: this.dir,
      XDG_RUNTIME_DIR: this.dir,
      XDG_DATA_HOME: this.dir,
    };
    mkdirSync(this.config);
  }

  /** Starts the bus. Nothing on it is started on demand but the keyring's question, which nobody ever sees. */
  async startBus(): Promise<void> {
    const services = join(this.dir, 'services');
    mkdirSync(services);
    writeFileSync(
      join(services, 'prompter.service'),
      '[D-BUS Service]\nName=org.gnome.keyring.SystemPrompter\nExec=/bin/sleep 60\n',
    );
    const bus = join(this.dir, 'bus.conf');
    writeFileSync(bus, busConfiguration(join(this.dir, 'bus'), services));
    const child = this.#start(['dbus-daemon', '--nofork', '--print-address', '--config-file', bus]);
    const [address] = await child.says(/unix:\S+/);
    this.env['DBUS_SESSION_BUS_ADDRESS'] = address;
  }

  /** Starts a keyring; without its password it is locked, if it was there before. */
  async startKeyring(password?: string): Promise<ChildProcess> {
    const unlock = password === undefined ? [] : ['--unlock'];
    const running = this.#start(['gnome-keyring-daemon', '--foreground', '--components=secrets', ...unlock]);
    running.child.stdin?.end(password);
    await until('the keyring to be on the bus', () => this.#hasKeyring());
    return running.child;
  }

  async #hasKeyring(): Promise<boolean> {
    const ask = ['--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.NameHasOwner'];
    const { stdout } = await this.#start(['dbus-send', ...ask, 'string:org.freedesktop.secrets']).ended;
    return stdout.includes('boolean true');
  }

  async stop(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  secrets(options: Partial<SecretsOptions> = {}): Promise<Secrets> {
    return Secrets.open({ productDir: dist, dir: this.config, env: this.env, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#started.reverse()) await this.stop(child);
    for (const pid of this.#strays()) process.kill(pid, 'SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** What the bus started: its working directory is this one. */
  #strays(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          return readlinkSync(`/proc/${pid}/cwd`) === this.dir;
        } catch {
          // Gone by now, or a thread of the kernel.
          return false;
        }
      });
  }

  #start([command = '', ...args]: readonly string[]): Running {
    const child = spawn(command, args, { env: this.env, cwd: this.dir, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#started.push(child);
    return new Running(child);
  }
}

function busConfiguration(socket: string, services: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>${services}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
}
