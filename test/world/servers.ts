/** The handle of a world's servers: starts them in a namespace and asks them what reached them. */
import { bundle } from './artefact.ts';
import { udpAddresses } from './addresses.ts';
import type { Certificates } from './certificates.ts';
import type { Namespace } from './namespace.ts';
import type { Running } from './running.ts';
import type { Call, Reply, Request, Seen, ServersConfig } from './servers/protocol.ts';

export interface ServersPlace {
  readonly where: 'internet' | 'host';
  readonly namespace: Namespace;
  readonly files: string;
  readonly certificates: Certificates;
  readonly without?: readonly number[];
}

export class Servers {
  readonly #process: Running;
  #lastId = 0;

  private constructor(process: Running) {
    this.#process = process;
  }

  /** Resolves when all of them listen. */
  static async start(place: ServersPlace): Promise<Servers> {
    const config: ServersConfig = {
      udpAddresses: udpAddresses[place.where],
      files: place.files,
      key: place.certificates.key,
      certificate: place.certificates.certificate,
      without: place.without ?? [],
    };
    const command = [process.execPath, bundle('test/world/servers/main.ts'), JSON.stringify(config)];
    const running = place.namespace.spawn(command, {
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    await running.says(/servers listen/);
    return new Servers(running);
  }

  /** Everything that reached them since the start or the last `forget`, oldest first. */
  async seen(): Promise<readonly Seen[]> {
    return (await this.#call('seen')).seen;
  }

  /** The DNS questions among it, as "A example.test". */
  async queries(): Promise<string[]> {
    const seen = await this.seen();
    return seen.flatMap(({ port, asked }) => (port === 53 && asked !== undefined ? [asked] : []));
  }

  async forget(): Promise<void> {
    await this.#call('forget');
  }

  async #call(call: Call): Promise<Reply> {
    const request: Request = { id: ++this.#lastId, call };
    const { child } = this.#process;
    return new Promise((resolve, reject) => {
      const onEnd = (): void => reject(new Error(`the servers ended: ${this.#process.stderr}`));
      const onReply = (reply: unknown): void => {
        if ((reply as Reply).id !== request.id) return;
        child.off('message', onReply).off('exit', onEnd);
        resolve(reply as Reply);
      };
      child.on('message', onReply).once('exit', onEnd);
      child.send(request);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.end();
  }
}
