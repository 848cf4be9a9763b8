/** How the verbs about this computer and this program are typed. */
import { type Command, Option } from 'commander';
import { version } from '#shared/version.ts';
import type { DemoOptions } from './demo.ts';
import type { DoctorOptions } from './doctor.ts';
import { print } from './output.ts';

/** `productDir` is where bin/, native/ and the other programs are. */
export function describeComputer(program: Command, productDir: string): void {
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
