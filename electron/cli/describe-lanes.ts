/** How the verbs about what is running are typed. */
import type { Command } from 'commander';
import type { PsOptions } from './ps.ts';
import type { StopOptions } from './stop.ts';
import type { SwitchOptions } from './switch.ts';

export function describeLanes(program: Command): void {
  program
    .command('ps')
    .summary('list what is running')
    .description('List the apps that run on lanes of yours.')
    .option('--json', 'as JSON; with --watch one object a line')
    .option('--watch', 'again whenever something changes')
    .action(async (options: PsOptions) => {
      const { ps } = await import('./ps.ts');
      await ps(options);
    });
  program
    .command('stop')
    .summary('end a running app')
    .description('End the processes of a lane (see `culvert ps`), of all lanes of an app, or of all lanes.')
    .argument('[lane]')
    .option('--app <id>', 'the lanes of this app')
    .option('--all', 'every lane of yours')
    .option('--force', 'kill instead of asking to end')
    .action(async (lane: string | undefined, options: StopOptions) => {
      const { stop } = await import('./stop.ts');
      await stop(lane, options);
    });
  program
    .command('switch')
    .summary('give a running app another profile')
    .description('Give a running app another profile: new connections follow at once, open ones are closed.')
    .argument('<lane>', 'as `culvert ps` lists it')
    .argument('<profile>', 'its id or name')
    .option('--keep', 'leave open connections as they are')
    .action(async (lane: string, profile: string, options: SwitchOptions) => {
      const { switchLane } = await import('./switch.ts');
      await switchLane(lane, profile, options);
    });
}
