/** The configuration as it may be shown to others: how it is made, without where it leads. Pure. */
import { builtInProfiles, type Config } from '#shared/profile.ts';
import type { Kind, KnownName, Redactor } from './redactor.ts';

/** Words of closed lists, and ids of apps: they say what Culvert does, and nothing of its user. */
const kept = new Set([
  ...['version', 'kind', 'mode', 'action', 'udp', 'ipv6', 'policy', 'lan', 'isolation', 'protocol', 'keep'],
  ...['ports', 'apps', 'processes'],
]);

/** What stands under these keys; under any other it is a text of the user's. */
const kinds: Readonly<Record<string, Kind>> = {
  ...{ host: 'host', user: 'user', id: 'profile', name: 'profile', profile: 'profile', profiles: 'profile' },
  ...{ defaultProfile: 'profile', to: 'destination', from: 'destination', egress: 'interface' },
  ...{ resolver: 'address', url: 'destination' },
};

/** With stand-ins for what is not Culvert's own. */
export function shownConfig(config: Config, redactor: Redactor): unknown {
  const { apps, ...rest } = config;
  const bindings = Object.fromEntries(
    Object.entries(apps).map(([app, profile]) => [app, shownText('profile', profile, redactor)] as const),
  );
  return { ...(shown('', rest, redactor) as object), apps: bindings };
}

function shown(key: string, value: unknown, redactor: Redactor): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map((one) => shown(key, one, redactor));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([inner, one]) => [inner, shown(inner, one, redactor)] as const,
    );
    return Object.fromEntries(entries);
  }
  return typeof value === 'string' && !kept.has(key) ? shownText(key, value, redactor) : value;
}

function shownText(key: string, value: string, redactor: Redactor): string {
  const kind = kinds[key] ?? 'text';
  const isOurs = kind === 'profile' && (builtInProfiles as readonly string[]).includes(value);
  return isOurs ? value : redactor.value(kind, value);
}

/** What the configuration names, for the sentences in which that may stand. */
export function namesInConfig({ profiles, rules }: Config): KnownName[] {
  const name = (kind: Kind, value: string | undefined): KnownName[] =>
    value === undefined ? [] : [{ kind, value, isEverywhere: kind === 'host' }];
  const servers = profiles.flatMap(({ chain }) => chain.servers);
  return [
    ...servers.flatMap(({ host, user }) => [...name('host', host), ...name('user', user)]),
    ...profiles.flatMap(({ id, name: title, egress }) => [
      ...[...name('profile', title), ...name('profile', id), ...name('interface', egress)],
    ]),
    ...rules.flatMap(({ match }) => (match.to ?? []).flatMap((to) => name('destination', to))),
  ];
}
