/**
 * Profiles as links and as JSON, for another computer or another person. A password is in them only if its secret is
 * given.
 */
import { configVersion, type Config, type Profile, type Server } from '#shared/profile.ts';
import { authorityOf } from '../upstream/destination.ts';
import type { ImportedSecret } from './result.ts';

/**
 * One link a line for the servers of the profile, in the order of the chain. What a link cannot say (the mode of a
 * chain, time limits, fingerprints, everything beside the chain) is not in it; a chain says so in a comment.
 */
export function exportLinks(profile: Profile, secrets: readonly ImportedSecret[] = []): string {
  const { servers, mode } = profile.chain;
  const links = servers.map((server, index) => {
    const name = servers.length === 1 ? profile.name : `${profile.name} (${index + 1} of ${servers.length})`;
    const secret = secrets.find((each) => each.profile === profile.id && each.server === server.id);
    return linkOf(server, name, secret?.password);
  });
  const comment =
    servers.length > 1 ? [`# a ${mode} chain; as links these are ${servers.length} separate proxies`] : [];
  return [...comment, ...links].map((line) => `${line}\n`).join('');
}

/** Profiles and rules as `importText` reads them again, one of them a line. */
export function exportJson(
  { profiles = [], rules = [] }: Partial<Pick<Config, 'profiles' | 'rules'>>,
  secrets?: readonly ImportedSecret[],
): string {
  const written = secrets?.filter(({ profile }) => profiles.some(({ id }) => id === profile));
  const parts = [
    `"culvert": "export"`,
    `"version": ${configVersion}`,
    `"profiles": ${listText(profiles)}`,
    `"rules": ${listText(rules)}`,
    ...(written === undefined ? [] : [`"secrets": ${listText(written)}`]),
  ];
  return `{\n  ${parts.join(',\n  ')}\n}\n`;
}

/** A server as a link with a name behind its `#`. */
export function linkOf(server: Omit<Server, 'id'>, name: string, password: string | undefined): string {
  const { kind, user } = server;
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  const signIn = user === undefined ? '' : `${encodeURIComponent(user)}${secret}@`;
  return `${kind}://${signIn}${authorityOf(server)}#${encodeURIComponent(name)}`;
}

function listText(items: readonly object[]): string {
  if (items.length === 0) return '[]';
  return `[\n    ${items.map((item) => JSON.stringify(item)).join(',\n    ')}\n  ]`;
}
