/** How the verbs about rules are typed. */
import type { Command } from 'commander';
import { collect } from './describe-profiles.ts';
import type { PlaceOptions, RuleAddOptions, RuleListOptions } from './rule-edit.ts';
import type { RuleTestOptions } from './rule-test.ts';

const addHelp = `
Everything that is given must match; within one option any. The first rule that matches decides, where none does the
profile. Names are never looked up for a rule: ranges of addresses match what the app addresses by number.

Destinations: example.com exactly, .example.com with all below it, *.example.com all below it, * for any characters,
/…/ a regular expression, 10.0.0.0/8, 2001:db8::/32 or one address.

Examples:
  culvert rule add direct --to '*.corp.example,10.0.0.0/8'
  culvert rule add block --app firefox --to '.tracker.example' --first
  culvert rule add profile:work --profile home --to .work.example --port 443 --protocol tcp`;

export function describeRules(program: Command): void {
  const rule = program
    .command('rule')
    .summary('say which connections go where')
    .description('The rules: an ordered list, of which the first that matches a connection decides.');
  rule
    .command('ls')
    .summary('list all rules in their order')
    .description('List all rules in their order, with a warning for those that can never decide.')
    .option('--json', 'as JSON')
    .action(async (options: RuleListOptions) => {
      const { listRules } = await import('./rule-edit.ts');
      listRules(options);
    });
  describeAdding(rule);
  describeChanging(rule);
  rule
    .command('test')
    .summary('say which rule decides about a connection')
    .description('Say what would happen to a connection of an app, and which rule says so. Sends nothing.')
    .argument('<app>', 'its id, its name or a program')
    .argument('<host:port>', 'a name or an address with a port')
    .option('-p, --profile <profile>', 'as if the app ran with this one')
    .option('--protocol <protocol>', 'tcp or udp')
    .option('--process <name>', 'of the process inside the app')
    .option('--json', 'as JSON')
    .action(async (app: string, destination: string, options: RuleTestOptions) => {
      const { testRules } = await import('./rule-test.ts');
      await testRules(app, destination, options);
    });
}

function describeAdding(rule: Command): void {
  withPlace(
    rule
      .command('add')
      .summary('add a rule')
      .description('Add a rule, at the end unless told otherwise; prints its id.')
      .argument('<action>', 'proxy, direct, block or profile:ID')
      .option('--app <app>', 'ids of apps or names of programs', collect)
      .option('--process <name>', 'names of processes inside the app', collect)
      .option('--to <destination>', 'names, patterns or ranges of addresses', collect)
      .option('--port <port>', '443 or 8000-8100', collect)
      .option('--protocol <protocol>', 'tcp or udp')
      .option('--profile <profile>', 'only for apps that run with one of these', collect)
      .option('--note <text>', 'for people')
      .option('--id <id>', 'small letters, digits and hyphens; else made')
      .addHelpText('after', addHelp),
  ).action(async (action: string, options: RuleAddOptions) => {
    const { addOneRule } = await import('./rule-edit.ts');
    await addOneRule(action, options);
  });
}

function describeChanging(rule: Command): void {
  withPlace(
    rule
      .command('move')
      .summary('move a rule')
      .description('Move a rule to another position of the list.')
      .argument('<rule>', 'its id')
      .argument('[position]', 'from 1'),
  )
    .option('--last', 'behind all others')
    .action(async (id: string, position: string | undefined, options: PlaceOptions) => {
      const { moveOneRule } = await import('./rule-edit.ts');
      await moveOneRule(id, position, options);
    });
  const changes = { enable: 'switch rules on', disable: 'switch rules off', rm: 'delete rules' } as const;
  for (const change of ['enable', 'disable', 'rm'] as const) {
    rule
      .command(change)
      .summary(changes[change])
      .argument('<rule...>', 'their ids')
      .action(async (ids: string[]) => {
        const { changeRules } = await import('./rule-edit.ts');
        await changeRules(change, ids);
      });
  }
}

function withPlace(command: Command): Command {
  return command
    .option('--before <rule>', 'right before this one')
    .option('--after <rule>', 'right behind this one')
    .option('--first', 'before all others');
}
