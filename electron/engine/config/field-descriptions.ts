/**
 * What each field of culvert.json means, as an editor shows it: `[]` is any place in a list, `{}` any value and
 * `{name}` any name in a table. Each field of electron/shared/profile.ts has one, which a test checks.
 */
const profile = 'profiles[]';
const chain = `${profile}.chain`;
const server = `${chain}.servers[]`;
const rule = 'rules[]';

export const descriptions: Readonly<Record<string, string>> = {
  version: 'Version of this file.',
  $schema: 'Where the JSON schema of this file is, for editors.',
  defaultProfile: 'Profile for apps that are bound to none.',
  profiles:
    'Profiles. “none” (no network) and “direct” (isolated, without a proxy) are always there besides.',
  rules:
    'Rules, for all profiles. The first that matches decides; where none does, the action of the profile.',
  apps: 'Which app uses which profile, by the id of the app.',
  'apps{name}': 'Id of an app, such as firefox or org.gnome.Maps.',
  'apps{}': 'Id of a profile.',
  probe: 'What tests of a proxy ask of the web.',
  'probe.url': 'Answers with the address that it sees, alone or as ip=… on a line.',
  'probe.resolver': 'Asked over UDP and TCP for DNS: address or address:port.',
  history: 'What is kept on disk of the traffic of the past: how much, of which app, when.',
  'history.keep': 'For how many days; off keeps nothing.',
  'history.hosts': 'True to keep, too, which hosts it was with.',

  [`${profile}.id`]: 'Short name for files and command lines: small letters, digits and hyphens, at most 40.',
  [`${profile}.name`]: 'Name, at most 60 characters.',
  [`${profile}.colour`]: 'Colour, #rrggbb.',
  [`${profile}.letter`]: 'One or two letters that are shown beside the colour.',
  [`${profile}.action`]:
    'What happens to a connection where no rule matches: through the proxy, out directly, or refused.',
  [chain]: 'The proxy servers.',
  [`${profile}.dns`]: 'How names are looked up.',
  [`${profile}.dns.mode`]:
    'fake: names go to the proxy as names. remote: a resolver behind the proxy is asked. host: the resolver of ' +
    'this computer, for the action direct only.',
  [`${profile}.dns.resolver`]: 'Resolver for the mode remote: address with an optional port.',
  [`${profile}.udp`]: 'Whether UDP is carried, where the proxy can, or always refused.',
  [`${profile}.ipv6`]: 'Whether IPv6 is carried, where the proxy can, or always refused.',
  [`${profile}.failure`]: 'What happens when the chain cannot be reached. It is never left out.',
  [`${profile}.failure.policy`]:
    'block: connections are refused. ask: the user decides. failover: the chain of another profile is taken.',
  [`${profile}.failure.profile`]: 'Id of the profile whose chain is taken, for failover.',
  [`${profile}.egress`]:
    'Interface of this computer that proxies are dialled from and that direct connections leave by, such as eth0.',
  [`${profile}.hostAccess`]: 'What of this computer and its network the app reaches beside the proxy.',
  [`${profile}.hostAccess.loopbackPorts`]:
    'TCP ports of this computer that the app reaches at its own 127.0.0.1 and ::1.',
  [`${profile}.hostAccess.lan`]:
    'Private and link-local addresses: treated like all others (profile), reached without the proxy (direct), or ' +
    'refused (block).',
  [`${profile}.isolation`]: 'How the isolated network is made; auto prefers the way without a password.',
  [`${profile}.rewrites`]: 'Other destinations for some.',
  [`${profile}.rewrites[].from`]: 'What the app asks for: 192.0.2.1:80 or 192.0.2.1.',
  [`${profile}.rewrites[].to`]: 'What it gets instead: 198.51.100.1:8080 or 198.51.100.1.',

  [`${chain}.mode`]:
    'strict: all servers, in order. dynamic: all that are alive, in order. random: some, at random. round-robin: ' +
    'some, going on behind the last ones used.',
  [`${chain}.length`]: 'How many servers one connection goes through, for random and round-robin.',
  [`${chain}.servers`]: 'The servers, in order. Passwords are not in this file.',
  [`${server}.id`]: 'Short name, unique within the profile.',
  [`${server}.kind`]: 'What the server speaks.',
  [`${server}.host`]: 'Name or address, without brackets.',
  [`${server}.port`]: 'Port.',
  [`${server}.user`]: 'Name for the sign-in. Its password: culvert profile edit PROFILE --password-stdin.',
  [`${server}.fingerprint`]:
    'https only: SHA-256 of the one certificate that is accepted without verification, 64 hexadecimal digits.',
  [`${server}.timeoutMs`]: 'Milliseconds for connecting to it and for its part of the dialogue.',
  [`${server}.isOff`]: 'True for a server that is written down but not used.',

  [`${rule}.id`]: 'Short name, unique among all rules.',
  [`${rule}.note`]: 'For people.',
  [`${rule}.isOff`]: 'True for a rule that is written down but not used.',
  [`${rule}.match`]: 'What the rule is for. All that are given must match; within one list any.',
  [`${rule}.match.apps`]: 'Ids of apps (firefox, org.gnome.Maps) or names of their programs.',
  [`${rule}.match.processes`]: 'Names of processes inside the app; * stands for any characters.',
  [`${rule}.match.to`]:
    'Where the app wants to go: example.com exactly, .example.com with all below it, *.example.com all below it, * ' +
    'anywhere for any characters, /…/ a regular expression (RE2), 10.0.0.0/8, 2001:db8::/32 or a single address. ' +
    'Ranges match what the app addresses by number.',
  [`${rule}.match.ports`]: '443 or 8000-8100.',
  [`${rule}.match.protocol`]: 'TCP or UDP only.',
  [`${rule}.match.profiles`]: 'Only for apps that run with one of these profiles.',
  [`${rule}.action`]: 'What happens to the connection; profile takes the chain of another profile.',
  [`${rule}.profile`]: 'Id of the other profile, for the action profile.',
};
