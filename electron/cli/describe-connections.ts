/** How the verbs about connections and their traffic are typed. */
import type { Command } from 'commander';
import type { CloseOptions } from './close.ts';
import type { ConnectionsOptions } from './connections.ts';
import type { TrafficOptions } from './traffic.ts';

const queryHelp = `
A query has terms between spaces, and all of them must hold:
  app:firefox  process:NAME  pid:123         who
  host:.example.com  ip:10.0.0.0/8           where to; .example.com is that name and all below it
  port:443  port:80,8000-8100  proto:udp     a comma means "or"
  profile:work  rule:ID  rule:*  via:HOST    which way, and by which rule
  state:open  error:proxy-*  lane:LANE       dialling, open, closed, refused
  >1MB  down:>1MB  up:<10kB  age:>5m         kB, MB, GB or KiB, MiB, GiB; s, m, h, d
  word                                       anywhere in host, address, app or process
A - before a term negates it, * stands for any characters, case does not matter. Quotes keep spaces; the shell takes
its own away: 'process:"Web Content"'. It takes > and * for itself, too: quote them.`;

const examples = `
Examples:
  culvert connections app:firefox -port:443
  culvert connections --all 'error:*'
  culvert connections --follow --json '>1MB'`;

const closeHelp = `
Ends with 0 when something was closed, and with 3 when no open connection is one of these.

Examples:
  culvert close app:firefox host:.tracker.example
  culvert close 'age:>1h' -proto:udp`;

export function describeConnections(program: Command): void {
  program
    .command('connections')
    .summary('list what apps are connected to')
    .description('List the connections of your lanes that are open; a query chooses among them.')
    .argument('[query...]', 'see below')
    // What begins with one hyphen negates a term.
    .allowUnknownOption()
    .option('--closed', 'the newest of those that have ended instead')
    .option('--all', 'open and ended ones')
    .option('--lane <lane>', 'of one lane only, see `culvert ps`')
    .option('--follow', 'go on with each change, until nothing runs any more')
    .option('--json', 'as JSON; with --follow one object a line')
    .addHelpText('after', queryHelp + examples)
    .action(async (words: string[], options: ConnectionsOptions) => {
      const { connections } = await import('./connections.ts');
      await connections(words, options);
    });
  program
    .command('close')
    .summary('close connections')
    .description('Close the open connections that a query takes; the apps see them reset.')
    .argument('[query...]', 'as for `culvert connections`, see its help')
    .allowUnknownOption()
    .option('--all', 'every connection of every lane of yours')
    .option('--lane <lane>', 'of one lane only')
    .addHelpText('after', closeHelp)
    .action(async (words: string[], options: CloseOptions) => {
      const { close } = await import('./close.ts');
      process.exitCode = await close(words, options);
    });
  program
    .command('traffic')
    .summary('show how much goes through, and how fast')
    .description('Show what has gone through each lane, and how much a second; takes a second to see that.')
    .option('--by <what>', 'lane, app or profile')
    .option('--watch', 'again every second, until nothing runs any more')
    .option('--json', 'all three as JSON; with --watch one object a line')
    .action(async (options: TrafficOptions) => {
      const { traffic } = await import('./traffic.ts');
      await traffic(options);
    });
}
