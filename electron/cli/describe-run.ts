/** How `culvert run` is typed. */
import { existsSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { laneMark } from '#shared/paths.ts';
import { ownStanding } from './caller.ts';
import { verbExit } from './exit-codes.ts';
import { complain } from './output.ts';
import type { RunOptions } from './run-request.ts';

const runHelp = `
The command runs with your ids, directory, environment and terminal; its exit status is this one's.
125 means that Culvert failed, 126 that the command cannot be run, 127 that it was not found.

The password of the proxy is best left out of the URL: it is asked for, or taken from --password-stdin
or the variable CULVERT_PASSWORD (which the command does not see).

Examples:
  culvert run --proxy socks5://user@proxy.example:1080 -- curl https://example.com/
  culvert run --proxy http://127.0.0.1:3128 --isolation rootless -- git pull`;

const noCommand =
  'no command was given — `culvert run` starts one — put it behind the options: culvert run [OPTIONS] -- COMMAND';

/** `productDir` is where bin/, native/ and the other programs are. */
export function describeRun(program: Command, productDir: string): void {
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
      const ahead = await helperAhead(options, productDir);
      const { run } = await import('./run.ts');
      await run([name, ...rest], options as RunOptions, productDir, ahead);
    });
}

/** A helper for what most commands get, begun before all else is loaded; not where there can be no lane. */
async function helperAhead({ isolation = 'auto' }: Partial<RunOptions>, productDir: string) {
  if (existsSync(laneMark)) return undefined;
  const { HelperAhead } = await import('#engine/helper-ahead');
  return HelperAhead.start(isolation, { hasTerminal: ownStanding().isForeground, productDir });
}

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
