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
    .usage('--proxy URL [options] -- COMMAND [ARGUMENT...]')
    .argument('[command...]', 'what to start; options of Culvert come before it')
    .passThroughOptions()
    .option(
      '--proxy <url>',
      'socks5://user@host:port, socks4, socks4a or http; “direct” for no proxy',
      once('--proxy'),
    )
    .option('--dns <mode>', 'fake (names go to the proxy), remote[=ADDRESS] or host')
    .addOption(new Option('--udp <choice>', 'allow or block').default('allow'))
    .addOption(
      new Option('--isolation <way>', 'auto, helper (asks for a password) or rootless').default('auto'),
    )
    .option('--password-stdin', 'read the password of the proxy from the first line of stdin')
    .option('--no-wait', 'end what the command leaves running')
    .option('--quiet', 'no notices, only errors')
    .addHelpText('after', runHelp)
    .action(async (argv: string[], options: Partial<RunOptions>) => {
      const [name, ...rest] = argv;
      const mistake =
        name === undefined || name === '' ? noCommand : options.proxy === undefined ? noProxy : undefined;
      if (mistake !== undefined || name === undefined) {
        complain(mistake ?? noCommand);
        process.exitCode = verbExit.usage;
        return;
      }
      const { run } = await import('./run.ts');
      await run([name, ...rest], options as RunOptions, productDir);
    });
}

const noCommand =
  'no command was given — `culvert run` starts one — put it behind the options: culvert run --proxy URL -- COMMAND';
const noProxy =
  'no proxy was named — a lane needs one way out — add --proxy socks5://user@host:port, ' +
  'or --proxy direct for an isolated network without a proxy';

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
