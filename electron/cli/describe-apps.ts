/** How the verbs about apps are typed. */
import { type Command, Option } from 'commander';
import type { AppListOptions } from './app-bindings.ts';
import type { LauncherCreateOptions, LauncherListOptions } from './launcher.ts';
import type { OpenOptions } from './open-plan.ts';

const openHelp = `
The profile is the one of -p, else the one that the app is bound to, else the default. It waits until the app and all
that it started have ended; with --detach until the app runs. An app that is open outside of an isolated network
would hand over to that one, so it is refused with status 8.

Examples:
  culvert open firefox https://example.com/
  culvert open -p work --separate-profile --detach firefox`;

/** `productDir` is where bin/, native/ and the other programs are. */
export function describeApps(program: Command, productDir: string): void {
  describeOpen(program, productDir);
  const app = program
    .command('app')
    .summary('say which app uses which profile')
    .description('The installed apps, and which profile each of them uses.');
  app
    .command('ls')
    .summary('list or search the installed apps')
    .argument('[search...]', 'part of a name, a keyword or a command')
    .option('--json', 'as JSON')
    .action(async (words: string[], options: AppListOptions) => {
      const { listApps } = await import('./app-bindings.ts');
      await listApps(words.join(' '), options);
    });
  app
    .command('bind')
    .summary('have an app always use a profile')
    .argument('<app>', 'its id, its name or a program')
    .argument('<profile>', 'its id or name')
    .action(async (name: string, profile: string) => {
      const { bind } = await import('./app-bindings.ts');
      await bind(name, profile);
    });
  app
    .command('unbind')
    .summary('have an app use the default profile again')
    .argument('<app>', 'its id, its name or a program')
    .action(async (name: string) => {
      const { unbind } = await import('./app-bindings.ts');
      await unbind(name);
    });
  describeLaunchers(program, productDir);
}

function describeOpen(program: Command, productDir: string): void {
  program
    .command('open')
    .summary('open a desktop app through a profile')
    .description('Open a desktop app on an isolated network whose only way out is the profile.')
    .usage('[options] APP [FILE or URI...]  |  [options] --app=ID [-- FILE or URI...]')
    .argument('[app]', 'its id, its name, a program, or the path of a desktop entry')
    .argument('[target...]', 'files and addresses to open')
    .option('-p, --profile <profile>', 'its id or name')
    .option('--app <id>', 'the app by its id, as launchers have it')
    .option('--action <id>', 'one of the app’s own actions')
    .option('--separate-profile', 'browsers: with a profile of their own, kept for this profile of Culvert')
    .option('--detach', 'put it in the background once it runs; prints its lane')
    .option('--trust', 'trust a desktop entry from outside of the application folders')
    .option('--anyway', 'although its program runs outside, where that one may not take over')
    .option('--isolation <way>', 'auto, helper (asks for a password) or rootless')
    .addOption(new Option('--report-fd <fd>').hideHelp())
    .addHelpText('after', openHelp)
    .action(async (name: string | undefined, targets: string[], options: OpenOptions) => {
      const { open } = await import('./open.ts');
      process.exitCode = await open([...(name === undefined ? [] : [name]), ...targets], options, productDir);
    });
}

function describeLaunchers(program: Command, productDir: string): void {
  const launcher = program
    .command('launcher')
    .summary('put apps with their profiles into the menu')
    .description('Entries in the menu of the desktop that open an app through a profile.');
  launcher
    .command('create')
    .summary('make a launcher; prints its id')
    .argument('<app>', 'its id, its name, a program, or the path of a desktop entry')
    .requiredOption('-p, --profile <profile>', 'its id or name')
    .option('--name <name>', 'what it is called; else the app’s name with the profile’s')
    .action(async (app: string, options: LauncherCreateOptions) => {
      const { createOne } = await import('./launcher.ts');
      await createOne(app, options, productDir);
    });
  launcher
    .command('ls')
    .summary('list the launchers')
    .option('--json', 'as JSON')
    .action(async (options: LauncherListOptions) => {
      const { listAll } = await import('./launcher.ts');
      await listAll(options);
    });
  launcher
    .command('rm')
    .summary('delete launchers')
    .argument('<launcher...>', 'their ids')
    .action(async (ids: string[]) => {
      const { removeSome } = await import('./launcher.ts');
      await removeSome(ids);
    });
}
