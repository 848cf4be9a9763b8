/** How the verbs that try things out are typed. */
import type { Command } from 'commander';
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
