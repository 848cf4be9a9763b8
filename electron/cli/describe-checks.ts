/** How the verbs that try things out are typed. */
import type { Command } from 'commander';
import type { CheckOptions } from './check.ts';
import type { ProfileTestOptions } from './profile-test.ts';

const testHelp = `
The lines are: reach, sign-in, web (a page is asked for through the proxy), exit-address (what the page saw), udp, dns,
ipv6. “refused” means that the proxy does not offer it, so apps are refused it, too. Nothing is sent outside of the
proxy, but with --compare one request to the page.

Exits with 0, with 4 where the proxy cannot be reached or refuses, with 1 where something else failed or could not be
found out.`;

/** Into the group of verbs about profiles. `productDir` is where the native part is. */
export function describeProfileTest(profile: Command, productDir: string): void {
  profile
    .command('test')
    .summary('try whether the proxies of a profile work')
    .description(
      'Try the proxies of a profile stage by stage: each by itself where one may be the first, then the chain.',
    )
    .argument('[profile]', 'its id or name; else the default')
    .option('--all', 'every profile with a proxy; ends with a table, the quickest first')
    .option('--url <url>', 'the page to ask for; it answers with the address that it sees')
    .option('--compare', 'ask the page once more without the proxy, and compare the addresses')
    .option('--json', 'as JSON')
    .addHelpText('after', testHelp)
    .action(async (name: string | undefined, options: ProfileTestOptions) => {
      const { testProfiles } = await import('./profile-test.ts');
      process.exitCode = await testProfiles(name, options, productDir);
    });
}

const checkHelp = `
An app on an isolated network is looked at from the inside: a page, questions to a resolver, a datagram and IPv6 as the
app would send them, each held against what Culvert itself has seen; and where the app's processes are.

Exits with 0, with 7 at a leak, with 4 where the proxy cannot be reached, with 1 where something could not be found
out: that says nothing about leaks, either way.`;

/** `productDir` is where bin/, native/ and the other programs are. */
export function describeCheck(program: Command, productDir: string): void {
  program
    .command('check')
    .summary('look for leaks')
    .description('Look for leaks of a running app, or of a profile by an app that only waits; five seconds.')
    .argument('[lane]', 'as `culvert ps` lists it; else a profile is checked')
    .option('-p, --profile <name>', 'the profile to check, if not the default')
    .option('--isolation <way>', 'for a profile: auto, helper (asks for a password) or rootless')
    .option('--url <url>', 'the page to ask for; it answers with the address that it sees')
    .option('--compare', 'ask the page once more outside of the isolated network, and compare the addresses')
    .option('--json', 'as JSON')
    .addHelpText('after', checkHelp)
    .action(async (lane: string | undefined, options: CheckOptions) => {
      const { check } = await import('./check.ts');
      process.exitCode = await check(lane, options, productDir);
    });
}
