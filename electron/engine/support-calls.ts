/** The answers to the calls of shared/support-protocol.ts. */
import { homedir, hostname, release, userInfo } from 'node:os';
import { failureOf } from '#shared/failure.ts';
import { entryOf } from '#shared/log-lines.ts';
import { engineLogPath } from '#shared/paths.ts';
import type { DoctorLine, supportCalls } from '#shared/support-protocol.ts';
import { version } from '#shared/version.ts';
import { hasAutostart, setAutostart } from './apps/index.ts';
import type { CallParts, RoomHandlers } from './call-parts.ts';
import { ConfigStore } from './config/store.ts';
import type { DiagnosticFacts, DiagnosticText } from './diagnostics/report.ts';
import { allowIsolation, lookAtIsolation } from './isolation.ts';
import { ownProgram } from './own-program.ts';
import { lastThatFit, newestLogLines } from './log-read.ts';
import { noticeOf } from './secrets/notices.ts';

/** What one answer may hold of the log, in characters; its newest part. */
const maxLogLength = 1_000_000;
/** Lines of the log in a report. */
const reportedLines = 300;

export class SupportCalls {
  readonly handlers: RoomHandlers<typeof supportCalls>;
  readonly #parts: CallParts;

  constructor(parts: CallParts) {
    this.#parts = parts;
    const prove = (mayAsk: boolean) => parts.engine.proveIsolation(mayAsk);
    this.handlers = {
      doctor: () => this.#doctor(),
      'log.read': ({ lines }) => {
        const path = engineLogPath();
        return { path, text: lastThatFit(newestLogLines(path, lines), maxLogLength).join('\n') };
      },
      'diagnostics.make': ({ keepNames }) => this.#diagnostics(keepNames),
      'autostart.read': async () => ({ isOn: await hasAutostart() }),
      'autostart.set': async ({ isOn }) => {
        await setAutostart(isOn ? [ownProgram(parts.productDir), 'gui', '--background'] : undefined);
        return { isOn: await hasAutostart() };
      },
      'isolation.look': () => lookAtIsolation(prove, parts.productDir),
      'isolation.allow': () => allowIsolation(prove),
      'secrets.place': async () => {
        const secrets = await parts.secrets();
        const place = await secrets.probe();
        return { place, ...noticeOf(secrets.notices) };
      },
    };
  }

  /** Nothing is started that asks for a password; a network is made where that needs none, and taken away. */
  async #doctor(): Promise<DoctorLine[]> {
    const { gatherFacts, judgeAll } = await import('./doctor/index.ts');
    const facts = await gatherFacts({
      productDir: this.#parts.productDir,
      electron: process.versions['electron'] === undefined ? undefined : process.execPath,
      makeLane: async () => (await this.#parts.engine.proveIsolation(false)).mode,
    });
    return judgeAll(facts).map(({ title, state, ...line }) => {
      return { ...line, outcome: state, what: title };
    });
  }

  async #diagnostics(keepNames: boolean): Promise<DiagnosticText> {
    const { diagnosticText } = await import('./diagnostics/report.ts');
    return diagnosticText(await this.#facts(), keepNames);
  }

  async #facts(): Promise<DiagnosticFacts> {
    const { engine } = this.#parts;
    const { env, versions } = process;
    return {
      at: Date.now(),
      versions: {
        culvert: version,
        kernel: release(),
        node: versions.node,
        electron: versions['electron'],
        desktop: env['XDG_CURRENT_DESKTOP'],
        session: env['XDG_SESSION_TYPE'],
        language: env['LC_ALL'] ?? env['LANG'],
      },
      own: { user: userInfo().username, home: homedir(), computer: hostname() },
      doctor: await this.#doctor(),
      snapshot: engine.snapshot(),
      flows: await engine.flows(),
      config: readConfig(),
      log: newestLogLines(engineLogPath(), reportedLines)
        .map(entryOf)
        .filter((entry) => entry !== undefined),
    };
  }
}

/** One that cannot be read is told as why. */
function readConfig(): DiagnosticFacts['config'] {
  try {
    return ConfigStore.open().read();
  } catch (error) {
    return failureOf(error);
  }
}
