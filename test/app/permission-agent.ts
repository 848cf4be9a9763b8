/** The dialog that asks a user for a password, as a test answers it (permission-agent.py), for one process. */
import { until } from '../world/until.ts';
import type { World } from '../world/world.ts';
import { Puppet } from './puppet.ts';

export class PermissionAgent {
  readonly #agent: Puppet;

  private constructor(agent: Puppet) {
    this.#agent = agent;
  }

  /** `pid`: who starts pkexec. The world has to have a system bus and polkit. */
  static async start(world: World, pid: number): Promise<PermissionAgent> {
    return new PermissionAgent(await Puppet.start(world, 'permission-agent.py', [String(pid)]));
  }

  /** Resolves when the dialog is open, with the action that it is about. */
  async asked(): Promise<string> {
    return until('a question', async () => (await this.#agent.ask('asked')) as string | undefined);
  }

  /** Types a password; whether it was right. */
  async answer(password: string): Promise<boolean> {
    return (await this.#agent.ask(`answer ${password}`)) as boolean;
  }

  /** Closes the dialog. */
  async dismiss(): Promise<void> {
    await this.#agent.ask('dismiss');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.end();
  }
}
