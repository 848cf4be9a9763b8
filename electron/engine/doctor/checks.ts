/** What the doctor makes of the facts: one plain function for each line. */
import { inEnglish, phrase, type Phrase, type Said } from '#shared/phrase.ts';
import { userNamespaceSwitch } from '../refusals.ts';
import type { Facts } from './facts.ts';
import type { ToolName, Words } from './trials.ts';

export type State = 'ok' | 'warning' | 'failed';

export interface Finding {
  readonly state: State;
  readonly found: Words;
  /** What to do about it. */
  readonly todo?: Words;
}

export interface Check {
  /** Stable, for `--json`. */
  readonly id: string;
  readonly title: string;
  readonly judge: (facts: Facts) => Finding;
}

/** fsopen(2) and open_tree(2), with which the launcher covers /run, came with Linux 5.2. */
const oldestKernel = [5, 2] as const;
/** As the engine reckons: a reserve, then two descriptors for each connection, and a ceiling. */
const reservedDescriptors = 1500;
const maxConnections = 16_384;
const fewConnections = 1000;

const ok = (found: Words): Finding => ({ state: 'ok', found });
const warning = (found: Words, todo: Words): Finding => ({ state: 'warning', found, todo });
const failed = (found: Words, todo: Words): Finding => ({ state: 'failed', found, todo });

export const checks: readonly Check[] = [
  { id: 'kernel', title: 'kernel', judge: judgeKernel },
  { id: 'native', title: 'native part', judge: judgeNative },
  { id: 'splice', title: 'splice', judge: judgeSplice },
  { id: 'runtime-dir', title: 'runtime directory', judge: judgeRuntimeDir },
  { id: 'ip', title: 'ip', judge: (facts) => judgeTool(facts, 'ip', 'failed') },
  { id: 'nft', title: 'nft', judge: (facts) => judgeTool(facts, 'nft', 'failed') },
  { id: 'unshare', title: 'unshare', judge: (facts) => judgeTool(facts, 'unshare', 'warning') },
  { id: 'user-namespaces', title: 'user namespaces', judge: judgeUserNamespace },
  { id: 'nft-tproxy', title: 'nft tproxy', judge: judgeTproxy },
  { id: 'ipv6', title: 'IPv6', judge: judgeIpv6 },
  { id: 'permission', title: 'permission', judge: judgePermission },
  { id: 'polkit-action', title: 'polkit action', judge: judgePolkitAction },
  { id: 'open-files', title: 'open files', judge: judgeOpenFiles },
  { id: 'electron', title: 'Electron', judge: judgeElectron },
  { id: 'ping', title: 'ping', judge: judgePing },
  { id: 'lane', title: 'a lane', judge: judgeLane },
];

/**
 * Which ways to a lane there are. As an ordinary user the privileged one cannot be tried without a password:
 * then it is possible if everything that it needs is there.
 */
export function waysOf(facts: Facts): { rootless: boolean; privileged: boolean } {
  if (facts.uid === 0) return { rootless: false, privileged: facts.lane.works };
  const { ip, nft } = facts.tools;
  const hasTools = ip?.works === true && nft?.works === true && facts.native.works && facts.splice.works;
  const canBecomeRoot = facts.isForRoot && !facts.noNewPrivs && (facts.pkexec || facts.sudo);
  const rootless = facts.lane.works && facts.lane.mode === 'rootless';
  return { rootless, privileged: hasTools && canBecomeRoot && !facts.isOnLane };
}

/** In English, and as phrases where it is ours to say. */
export interface Judged extends Pick<Check, 'id' | 'title'> {
  readonly state: State;
  readonly found: string;
  readonly foundPhrase?: Phrase;
  readonly todo?: string;
  readonly todoPhrase?: Phrase;
}

/** All checks, in the order in which they are told. */
export function judgeAll(facts: Facts): Judged[] {
  return checks.map(({ id, title, judge }) => {
    const { state, found, todo } = judge(facts);
    const [foundPhrase, todoPhrase] = [phraseOf(found), phraseOf(todo)];
    return {
      ...{ id, title, state, found: inEnglish(found) },
      ...(foundPhrase === undefined ? {} : { foundPhrase }),
      ...(todo === undefined ? {} : { todo: inEnglish(todo) }),
      ...(todoPhrase === undefined ? {} : { todoPhrase }),
    };
  });
}

function phraseOf(words: Words | undefined): Phrase | undefined {
  if (words === undefined || typeof words === 'string') return undefined;
  return 'key' in words ? words : phrase('doctor.failure', { sentence: words });
}

/** The command that installs packages here, by the words of /etc/os-release (os-release(5)). */
export function installCommand(osRelease: string, packages: string): Said {
  const family = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].map((match) => match[1]).join(' ');
  const managers: readonly (readonly [RegExp, string])[] = [
    [/debian|ubuntu/, 'sudo apt install'],
    [/fedora|rhel|centos/, 'sudo dnf install'],
    [/arch/, 'sudo pacman -S'],
    [/suse/, 'sudo zypper install'],
    [/alpine/, 'sudo apk add'],
  ];
  const command = managers.find(([pattern]) => pattern.test(family))?.[1];
  return command === undefined ? phrase('doctor.install', { packages }) : `${command} ${packages}`;
}

function judgeKernel({ kernel, isOnLane }: Facts): Finding {
  if (isOnLane) return failed(phrase('doctor.on-lane'), { whole: { code: 'nested-lane' } });
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  const isNew = major > oldestKernel[0] || (major === oldestKernel[0] && minor >= oldestKernel[1]);
  if (isNew) return ok(phrase('doctor.kernel', { version: kernel }));
  const newer = phrase('doctor.kernel-newer', { version: oldestKernel.join('.') });
  return failed(phrase('doctor.kernel-old', { version: kernel }), newer);
}

function judgeNative({ native, node }: Facts): Finding {
  if (!native.works) return failed(native.words, phrase('doctor.build-native'));
  return ok(phrase('doctor.native', { version: node }));
}

function judgeSplice({ splice, native }: Facts): Finding {
  if (splice.works) return ok(phrase('doctor.splice'));
  if (!native.works) return warning(phrase('doctor.files-unknown'), phrase('doctor.see-above'));
  return failed(
    phrase('doctor.splice-broken', { words: splice.words }),
    phrase('doctor.splice-kernel', { call: 'splice(2)' }),
  );
}

function judgeRuntimeDir({ runtimeDir }: Facts): Finding {
  if (runtimeDir.works) return ok(phrase('doctor.runtime-dir', { path: runtimeDir.words }));
  return failed(runtimeDir.words, phrase('doctor.own-runtime-dir'));
}

const packageOf: Readonly<Record<ToolName, string>> = {
  ip: 'iproute2',
  nft: 'nftables',
  unshare: 'util-linux',
};

function judgeTool({ tools, osRelease }: Facts, name: ToolName, otherwise: 'warning' | 'failed'): Finding {
  const tool = tools[name];
  const todo = installCommand(osRelease, packageOf[name]);
  if (tool === undefined) return { state: otherwise, found: phrase('doctor.not-found'), todo };
  const found = phrase('doctor.tool', { version: tool.version, path: tool.path });
  return tool.works ? ok(found) : { state: otherwise, found, todo };
}

function judgeUserNamespace(facts: Facts): Finding {
  const { userNamespace, switches } = facts;
  if (userNamespace.works) return ok(phrase('doctor.namespaces'));
  const words = inEnglish(userNamespace.words);
  const why = userNamespaceSwitch(words, null, (name) => switches[name]);
  return warning(phrase('doctor.namespaces-forbidden', { why }), phrase('doctor.allow-namespaces'));
}

function judgeTproxy({ nftTproxy, nftRedirect, userNamespace, uid }: Facts): Finding {
  if (nftTproxy.works) return ok(phrase('doctor.tproxy'));
  if (uid !== 0 && !userNamespace.works) {
    return warning(phrase('doctor.tproxy-untried'), phrase('doctor.try-as-root'));
  }
  const why = nftTproxy.words;
  if (nftRedirect.works) {
    return warning(phrase('doctor.tproxy-missing', { why }), phrase('doctor.load-tproxy'));
  }
  return failed(why, phrase('doctor.enable-nft'));
}

function judgeIpv6({ hasIpv6 }: Facts): Finding {
  return ok(phrase(hasIpv6 ? 'doctor.ipv6' : 'doctor.ipv6-none'));
}

function judgePermission({ uid, isForRoot, noNewPrivs, pkexec, sudo, userNamespace }: Facts): Finding {
  if (uid === 0) return ok(phrase('doctor.is-root'));
  if (!isForRoot) {
    const found = phrase('doctor.not-for-root');
    return userNamespace.works ? ok(found) : failed(found, phrase('doctor.install-package'));
  }
  if (noNewPrivs) {
    return unlessNeeded(phrase('doctor.no-new-privileges'), phrase('doctor.fresh-terminal'), userNamespace);
  }
  if (pkexec && sudo) return ok(phrase('doctor.both-can-be-asked', { program: 'pkexec', other: 'sudo' }));
  if (pkexec || sudo) return ok(phrase('doctor.can-be-asked', { program: pkexec ? 'pkexec' : 'sudo' }));
  return unlessNeeded(phrase('doctor.nobody-to-ask'), phrase('doctor.install-pkexec'), userNamespace);
}

/** What keeps root away matters only where lanes cannot do without. */
function unlessNeeded(found: Phrase, todo: Phrase, { works }: Facts['userNamespace']): Finding {
  return works ? ok(phrase('doctor.not-needed', { found })) : failed(found, todo);
}

function judgePolkitAction({ polkitAction }: Facts): Finding {
  if (polkitAction !== undefined) return ok(polkitAction);
  return ok(phrase('doctor.no-policy'));
}

function judgeOpenFiles({ openFiles }: Facts): Finding {
  if (openFiles === undefined) return warning(phrase('doctor.files-unknown'), phrase('doctor.see-above'));
  const { hard } = openFiles;
  const connections = Math.max(0, Math.min(maxConnections, Math.floor((hard - reservedDescriptors) / 2)));
  const found =
    hard === Infinity
      ? phrase('doctor.files-unlimited', { connections })
      : phrase('doctor.files', { limit: hard, connections });
  return connections >= fewConnections ? ok(found) : warning(found, phrase('doctor.raise-files'));
}

function judgeElectron({ electron }: Facts): Finding {
  return ok(electron ?? phrase('doctor.no-electron'));
}

function judgePing(): Finding {
  return ok(phrase('doctor.ping'));
}

function judgeLane(facts: Facts): Finding {
  const { lane } = facts;
  if (lane.works) {
    const mode = phrase(`doctor.${lane.mode}`);
    return ok(phrase('doctor.lane', { mode, ms: lane.ms }));
  }
  return waysOf(facts).privileged
    ? warning(phrase('doctor.lane-with-password', { why: lane.words }), phrase('doctor.use-helper'))
    : failed(lane.words, phrase('doctor.see-lines-above'));
}
