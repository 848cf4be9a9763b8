/** A terminal with somebody at it: script(1) gives a command a pseudo terminal, and the test types and reads. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const patienceMs = 10_000;

export class Keyboard implements AsyncDisposable {
  readonly #child: ChildProcess;
  #screen = '';
  #read = 0;

  /** The command is for a shell. */
  constructor(command: string, cwd: string) {
    const env = { ...process.env, SHELL: '/bin/bash', TERM: 'dumb' };
    this.#child = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd,
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      this.#screen += bytes.toString();
    });
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Waits for something new on the screen and answers the match. Fails with what was there instead. */
  async see(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + patienceMs;
    while (Date.now() < deadline) {
      const match = pattern.exec(this.#screen.slice(this.#read));
      if (match !== null) {
        this.#read += match.index + match[0].length;
        return match;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(
      `${String(pattern)} did not come; since the last sight:\n${this.#screen.slice(this.#read)}`,
    );
  }

  get screen(): string {
    return this.#screen;
  }

  /** The exit status of the command. */
  async end(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    // Its death hangs the terminal up, and SIGHUP ends what runs on it.
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }
}
