/** How the verbs about profiles are typed. */
import type { Command } from 'commander';
import { describeProfileTest } from './describe-checks.ts';
import type { AddOptions, DefaultOptions, EditOptions, RemoveOptions } from './profile-edit.ts';
import type { ListOptions } from './profile-list.ts';
import type { ExportVerbOptions, ImportVerbOptions } from './profile-transfer.ts';

const addHelp = `
A password is best left out of the URL: it is asked for, or taken from --password-stdin or the variable
CULVERT_PASSWORD. It goes into the keyring of the session, or into a file that only you can read; never into the
configuration.

Examples:
  culvert profile add --name Work --default socks5://me@proxy.example:1080
  culvert profile add --name Chain --chain dynamic socks5://192.0.2.1 http://192.0.2.2:3128`;

/** For options that may come several times. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** `productDir` is where the program is that asks the keyring. */
export function describeProfiles(program: Command, productDir: string): void {
  const profile = program
    .command('profile')
    .summary('add, change, show, import and export profiles')
    .description('The proxies that you have written down, each with its settings.');
  describeListing(profile, productDir);
  describeEditing(profile, productDir);
  describeProfileTest(profile, productDir);
  describeTransfer(profile, productDir);
}

function describeListing(profile: Command, productDir: string): void {
  profile
    .command('ls')
    .summary('list all profiles')
    .description('List all profiles; the default one has a star.')
    .option('--json', 'as JSON')
    .action(async (options: ListOptions) => {
      const { listProfiles } = await import('./profile-list.ts');
      listProfiles(options);
    });
  profile
    .command('show')
    .summary('show one profile in full')
    .description('Show everything of a profile but its passwords.')
    .argument('<profile>', 'its id or name')
    .option('--json', 'as JSON')
    .action(async (name: string, options: ListOptions) => {
      const { showProfile } = await import('./profile-list.ts');
      await showProfile(name, options, productDir);
    });
}

function describeEditing(profile: Command, productDir: string): void {
  withSettings(
    profile
      .command('add')
      .summary('write a proxy down')
      .description('Write a proxy down, or several as a chain; prints the id of the profile.')
      .argument(
        '<proxy...>',
        'socks5://user@host:port, socks4, socks4a, http, https or a link; “direct” for none',
      )
      .option('--id <id>', 'small letters, digits and hyphens; else made of the name')
      .option('--password-stdin', 'read the password of the proxy from the first line of stdin')
      .addHelpText('after', addHelp),
  ).action(async (proxies: string[], options: AddOptions) => {
    const { add } = await import('./profile-edit.ts');
    await add(proxies, options, productDir);
  });
  withSettings(
    profile
      .command('edit')
      .summary('change a profile')
      .description('Change a profile; apps that run through it follow at once.')
      .argument('<profile>', 'its id or name')
      .option('--rename <id>', 'another id; what names the profile follows')
      .option('--add-server <url>', 'one more proxy at the end of the chain; may be repeated', collect)
      .option('--remove-server <id>', 'one proxy less, see `culvert profile show`; may be repeated', collect)
      .option('--password-stdin', 'read the password from the first line of stdin')
      .option('--ask-password', 'ask for the password on the terminal'),
  )
    // Behind the options that they take back: before them they would be on by default.
    .option('--no-egress', 'by any interface')
    .option('--no-host-port', 'no ports of this computer')
    .option('--no-failover', 'refuse connections when the proxy fails')
    .option('--no-fingerprint', 'verify the certificate again')
    .option('--no-timeout', 'with the usual limit only')
    .action(async (name: string, options: EditOptions) => {
      const { edit } = await import('./profile-edit.ts');
      await edit(name, options, productDir);
    });
  profile
    .command('rm')
    .summary('delete a profile')
    .description('Delete a profile and its passwords.')
    .argument('<profile>', 'its id or name')
    .option('--force', 'also where apps, rules or other profiles use it; those rules will block then')
    .action(async (name: string, options: RemoveOptions) => {
      const { remove } = await import('./profile-edit.ts');
      await remove(name, options, productDir);
    });
  profile
    .command('default')
    .summary('choose the profile for apps that are bound to none')
    .description('Choose the profile for apps that are bound to none; without a name, print its id.')
    .argument('[profile]', 'its id or name')
    .option('--none', 'let there be none')
    .action(async (name: string | undefined, options: DefaultOptions) => {
      const { setDefaultProfile } = await import('./profile-edit.ts');
      await setDefaultProfile(name, options);
    });
}

/** What `add` and `edit` have in common. */
function withSettings(command: Command): Command {
  return command
    .option('--name <name>', 'what it is called')
    .option('--colour <#rrggbb>', 'of its mark')
    .option('--letter <letter>', 'in its mark')
    .option('--action <action>', 'what happens where no rule matches: proxy, direct or block')
    .option('--chain <mode>', 'strict, dynamic, random or round-robin, with several proxies')
    .option('--chain-length <number>', 'how many of them a connection goes through; random and round-robin')
    .option('--dns <mode>', 'fake (names go to the proxy), remote[=ADDRESS], or host without a proxy')
    .option('--resolver <address>', 'who is asked for names through the proxy; means --dns remote')
    .option('--udp <choice>', 'allow or block')
    .option('--ipv6 <choice>', 'allow or block')
    .option('--egress <interface>', 'the interface of this computer that it all goes out by')
    .option('--lan <choice>', 'private addresses: profile (like all others), direct or block')
    .option('--host-port <ports>', 'TCP ports of this computer that apps reach at 127.0.0.1', collect)
    .option('--failover <profile>', 'take the chain of this one when the own one fails')
    .option('--on-failure <what>', 'block (refuse connections when the proxy fails) or ask what to do then')
    .option('--fingerprint <sha256>', 'https: the one certificate that is accepted, instead of verifying it')
    .option('--server <id>', 'which proxy a password or fingerprint is for, where several have one')
    .option('--timeout <ms>', 'for connecting to each proxy, and for its part of the dialogue')
    .option('--isolation <way>', 'auto, helper (asks for a password) or rootless')
    .option('--default', 'make it the default');
}

function describeTransfer(profile: Command, productDir: string): void {
  profile
    .command('import')
    .summary('take profiles and rules from elsewhere')
    .description(
      'Take profiles and rules from links, proxychains.conf, a Proxifier profile, Clash YAML, environment ' +
        'variables or an export of Culvert; prints what became of each line.',
    )
    .argument('<file>', '- for stdin')
    .option('--dry-run', 'show what it would bring and change nothing')
    .option(
      '--as <kind>',
      'what it is, where that is not seen: links, proxychains, … direct-list, proxy-list',
    )
    .option('--for <profile>', 'the profile that a list of addresses is for')
    .option('--json', 'as JSON')
    .action(async (file: string, options: ImportVerbOptions) => {
      const { importProfiles } = await import('./profile-transfer.ts');
      await importProfiles(file, options, productDir);
    });
  profile
    .command('export')
    .summary('print profiles for another computer')
    .description('Print profiles as links, all of them or the named ones; without their passwords.')
    .argument('[profile...]', 'their ids or names')
    .option('--json', 'everything, as `culvert profile import` reads it again')
    .option('--with-passwords', 'with them: whoever reads it can use the proxies')
    .action(async (names: string[], options: ExportVerbOptions) => {
      const { exportProfiles } = await import('./profile-transfer.ts');
      await exportProfiles(names, options, productDir);
    });
}
