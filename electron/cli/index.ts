/**
 * `culvert`, the command line: verbs, options and help. Wiring only; what a verb needs is loaded when it is
 * called, because `culvert run` starts often and has to start fast.
 */
import { Command, CommanderError, Option } from 'commander';
import { failureOf } from '#shared/failure.ts';
import { version } from '#shared/version.ts';
import type { DemoOptions } from './demo.ts';
import type { DoctorOptions } from './doctor.ts';
import { exitOfRun, exitOfVerb, verbExit } from './exit-codes.ts';
import { complain, complainOf, print, write } from './output.ts';
import type { PsOptions } from './ps.ts';
import type { RunOptions } from './run-request.ts';
import type { StopOptions } from './stop.ts';
import type { SwitchOptions } from './switch.ts';

/** Where bin/, native/ and the other programs are: beside this bundle. */
const productDir = import.meta.dirname;

const runHelp = `
The command runs with your ids, directory, environment and terminal; its exit status is this one's.
125 means that Culvert failed, 126 that the command cannot be run, 127 that it was not found.

The password of the proxy is best left out of the URL: it is asked for, or taken from --password-stdin
or the variable CULVERT_PASSWORD (which the command does not see).

Examples:
  culvert run --proxy socks5://user@proxy.example:1080 -- curl https://example.com/
  culvert run --proxy http://127.0.0.1:3128 --isolation rootless -- git pull`;

function describeRun(program: Command): void {
  program
    .command('run')
    .summary('start a command whose whole network is a proxy')
    .description('Start a command on an isolated network whose only way out is the proxy.')
    .usage('[--profile NAME | --proxy URL... | --file FILE] [options] -- COMMAND [ARGUMENT...]')
    .argument('[command...]', 'what to start; options of Culvert come before it')
    .passThroughOptions()
    .option('-p, --profile <name>', 'a profile of yours, see `culvert profile ls`', once('--profile'))
    .option(
      '--proxy <url>',
      'socks5://user@host:port, socks4, socks4a, http or https; several are a chain; “direct” for no proxy',
      (url: string, before: string[] | undefined) => [...(before ?? []), url],
    )
    .option('-f, --file <path>', 'take the proxies from a file of proxychains', once('--file'))
    .option('--chain <mode>', 'strict, dynamic, random or round-robin, with several proxies')
    .option('--chain-length <number>', 'how many of them a connection goes through; random and round-robin')
    .option('--dns <mode>', 'fake (names go to the proxy), remote[=ADDRESS] or host')
    .option('--udp <choice>', 'allow or block')
    .option('--egress <interface>', 'the interface of this computer that it all goes out by')
    .option('--isolation <way>', 'auto, helper (asks for a password) or rootless')
    .option('--password-stdin', 'read the password of the proxy from the first line of stdin')
    .option('--no-wait', 'end what the command leaves running')
    .option('--quiet', 'no notices, only errors')
    .addHelpText('after', runHelp)
    .action(async (argv: string[], options: Partial<RunOptions>) => {
      const [name, ...rest] = argv;
      if (name === undefined || name === '') {
        complain(noCommand);
        process.exitCode = verbExit.usage;
        return;
      }
      const { run } = await import('./run.ts');
      await run([name, ...rest], options as RunOptions, productDir);
    });
}

const noCommand =
  'no command was given — `culvert run` starts one — put it behind the options: culvert run [OPTIONS] -- COMMAND';

/** An option that may come once: with commander the last one would win in silence. */
function once(name: string): (value: string, previous: string | undefined) => string {
  return (value, previous) => {
    if (previous !== undefined)
      throw new CommanderError(
        verbExit.usage,
        'culvert.twice',
        `${name} was given twice — one lane has one proxy — name one`,
      );
    return value;
  };
}

function describeVerbs(program: Command): void {
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
    .description('End the processes of a lane (see `culvert ps`), or of all lanes.')
    .argument('[lane]')
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
    .argument('<profile>')
    .option('--keep', 'leave open connections as they are')
    .action(async (lane: string, profile: string, options: SwitchOptions) => {
      const { switchLane } = await import('./switch.ts');
      await switchLane(lane, profile, options);
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

function culvert(): Command {
  const program = new Command('culvert')
    .description('Start any app on its own isolated network whose only way out is the proxy you chose.')
    .version(version, '-V, --version')
    .enablePositionalOptions()
    .helpCommand('help [verb]', 'explain a verb')
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => {
        write(1, text);
      },
      writeErr: (text) => {
        write(2, text);
      },
      outputError: (text) => {
        complain(`${text.replace(/^error: /, '').trim()} — see \`culvert help\``);
      },
    })
    .exitOverride();
  describeRun(program);
  describeVerbs(program);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

async function main(): Promise<void> {
  process.on('uncaughtException', fail);
  try {
    await culvert().parseAsync();
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    if (error.code === 'culvert.twice') complain(error.message);
    process.exit(error.exitCode === 0 ? verbExit.ok : verbExit.usage);
  }
  // The reader of a pipe has gone, as `head` does: nothing is wrong.
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(verbExit.ok);
  const failure = failureOf(error);
  complainOf(failure);
  process.exit(process.argv[2] === 'run' ? exitOfRun(failure.code) : exitOfVerb(failure.code));
}

void main();
