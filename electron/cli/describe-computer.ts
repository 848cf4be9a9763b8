/** How the verbs about this computer and this program are typed. */
import { type Command, Option } from 'commander';
import { version } from '#shared/version.ts';
import type { DemoOptions } from './demo.ts';
import type { DoctorOptions } from './doctor.ts';
import type { LogsOptions } from './logs.ts';
import type { GuiOptions } from './gui.ts';
import { print } from './output.ts';

const logsHelp = `
The output of an app is kept where it was opened without a terminal. Of other lanes there is what Culvert says of them.

Where apps go to is not written down, and passwords never are. With CULVERT_LOG=debug in the environment of what starts
Culvert, each connection is, with its host, address and way; with CULVERT_LOG=off nothing is.`;

/** `productDir` is where bin/, native/ and the other programs are. */
export function describeComputer(program: Command, productDir: string): void {
  program
    .command('gui')
    .summary('open the window')
    .description('Open the window of Culvert, or bring the one that is open to the front.')
    .option('--app <id>', 'the app that it is about')
    .option('--background', 'without showing it')
    .action(async (options: GuiOptions) => {
      const { gui } = await import('./gui.ts');
      await gui(options, productDir);
    });
  program
    .command('doctor')
    .summary('check what this computer can do')
    .description('Check what Culvert needs of this computer, and say what to do about what is missing.')
    .option('--json', 'as JSON')
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import('./doctor.ts');
      process.exitCode = await doctor(options, productDir);
    });
  program
    .command('logs')
    .summary('show what was written down')
    .description('Show what Culvert has written down, or what the app of a lane has written.')
    .argument('[lane]', 'as `culvert ps` lists it; one that has ended, too')
    .option('-f, --follow', 'go on with what is added')
    .option('-n, --lines <number>', 'how many lines at first; 100 unless told')
    .option('--json', 'one object a line')
    .addHelpText('after', logsHelp)
    .action(async (lane: string | undefined, options: LogsOptions) => {
      const { logs } = await import('./logs.ts');
      await logs(lane, options);
    });
  program
    .command('demo')
    .summary('see it work, without any proxy of your own')
    .description('Run curl on a lane through a small proxy that is built in, and try to get around it.')
    .addOption(new Option('--isolation <way>', 'auto, helper or rootless').default('auto'))
    .action(async (options: DemoOptions) => {
      const { demo } = await import('./demo.ts');
      process.exitCode = await demo(options, productDir);
    });
  program
    .command('demo-probe', { hidden: true })
    .argument('<plan>')
    .action(async (plan: string) => {
      const { demoProbe } = await import('./demo-probe.ts');
      await demoProbe(plan);
    });
  program
    .command('version')
    .summary('print the version')
    .action(() => {
      print(version);
    });
}
