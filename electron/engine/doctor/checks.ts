/** What the doctor makes of the facts: one plain function for each line. */
import { describe } from '#shared/failure.ts';
import { userNamespaceSwitch } from '../refusals.ts';
import type { Facts } from './facts.ts';
import type { ToolName } from './trials.ts';

export type State = 'ok' | 'warning' | 'failed';

export interface Finding {
  readonly state: State;
  readonly found: string;
  /** What to do about it. */
  readonly todo?: string;
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

const ok = (found: string): Finding => ({ state: 'ok', found });
const warning = (found: string, todo: string): Finding => ({ state: 'warning', found, todo });
const failed = (found: string, todo: string): Finding => ({ state: 'failed', found, todo });

export const checks: readonly Check[] = [
  { id: 'kernel', title: 'kernel', judge: judgeKernel },
  { id: 'native', title: 'native part', judge: judgeNative },
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
  const hasTools = facts.tools.ip !== undefined && facts.tools.nft !== undefined && facts.native.works;
  const canBecomeRoot = facts.isForRoot && !facts.noNewPrivs && (facts.pkexec || facts.sudo);
  const rootless = facts.lane.works && facts.lane.mode === 'rootless';
  return { rootless, privileged: hasTools && canBecomeRoot && !facts.isOnLane };
}

export type Judged = Finding & Pick<Check, 'id' | 'title'>;

/** All checks, in the order in which they are told. */
export function judgeAll(facts: Facts): Judged[] {
  return checks.map(({ id, title, judge }) => ({ id, title, ...judge(facts) }));
}

/** The command that installs packages here, by the words of /etc/os-release (os-release(5)). */
export function installCommand(osRelease: string, packages: string): string {
  const family = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].map((match) => match[1]).join(' ');
  const managers: readonly (readonly [RegExp, string])[] = [
    [/debian|ubuntu/, 'sudo apt install'],
    [/fedora|rhel|centos/, 'sudo dnf install'],
    [/arch/, 'sudo pacman -S'],
    [/suse/, 'sudo zypper install'],
    [/alpine/, 'sudo apk add'],
  ];
  const command = managers.find(([pattern]) => pattern.test(family))?.[1];
  return command === undefined ? `install ${packages} with your package manager` : `${command} ${packages}`;
}

function judgeKernel({ kernel, isOnLane }: Facts): Finding {
  if (isOnLane) return failed('this shell is on a lane itself', describe({ code: 'nested-lane' }));
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  const isNew = major > oldestKernel[0] || (major === oldestKernel[0] && minor >= oldestKernel[1]);
  if (!isNew) return failed(`Linux ${kernel} is too old`, `use Linux ${oldestKernel.join('.')} or newer`);
  return ok(`Linux ${kernel} (splice, open_tree)`);
}

function judgeNative({ native, node }: Facts): Finding {
  if (!native.works)
    return failed(native.words, 'build it with `build/setup.sh run`, or install the package again');
  return ok(`libculvert and culvert-launch fit, under Node ${node}`);
}

function judgeRuntimeDir({ runtimeDir }: Facts): Finding {
  if (runtimeDir.works) return ok(`${runtimeDir.words}, yours alone`);
  return failed(runtimeDir.words, 'remove it, or set XDG_RUNTIME_DIR to a directory of yours with mode 0700');
}

const packageOf: Readonly<Record<ToolName, string>> = {
  ip: 'iproute2',
  nft: 'nftables',
  unshare: 'util-linux',
};

function judgeTool({ tools, osRelease }: Facts, name: ToolName, otherwise: 'warning' | 'failed'): Finding {
  const tool = tools[name];
  if (tool !== undefined) return ok(`${tool.version} (${tool.path})`);
  return { state: otherwise, found: 'not found', todo: installCommand(osRelease, packageOf[name]) };
}

function judgeUserNamespace(facts: Facts): Finding {
  const { userNamespace, switches } = facts;
  if (userNamespace.works) return ok('allowed: lanes need no password');
  const why = userNamespaceSwitch(userNamespace.words, null, (name) => switches[name]);
  return warning(`not allowed: ${why}`, 'turn the switch, or let lanes be made as root (--isolation helper)');
}

function judgeTproxy({ nftTproxy, nftRedirect, userNamespace, uid }: Facts): Finding {
  if (nftTproxy.works) return ok('TCP and UDP can be taken to the proxy');
  if (uid !== 0 && !userNamespace.works) {
    return warning(
      'not tried: that needs user namespaces or root',
      'run `sudo culvert doctor` to try it as root',
    );
  }
  const why = nftTproxy.words;
  if (nftRedirect.works) {
    return warning(
      `missing (${why}): TCP works, UDP is refused`,
      'load or enable the kernel module nft_tproxy',
    );
  }
  return failed(why, 'enable nf_tables, nft_tproxy and nft_redir in the kernel');
}

function judgeIpv6({ hasIpv6 }: Facts): Finding {
  return ok(hasIpv6 ? 'there: relayed where the proxy can' : 'this kernel has none: apps use IPv4');
}

function judgePermission({ uid, isForRoot, noNewPrivs, pkexec, sudo, userNamespace }: Facts): Finding {
  if (uid === 0) return ok('this is root');
  if (!isForRoot) {
    const found = 'root never runs this copy, which others can change (an AppImage): lanes are rootless only';
    return userNamespace.works ? ok(found) : failed(found, 'install a package of Culvert');
  }
  if (noNewPrivs) {
    const found = 'this process can never gain privileges (NoNewPrivs), so neither pkexec nor sudo can work';
    return userNamespace.works ? ok(`${found}; not needed here`) : failed(found, 'use a fresh terminal');
  }
  if (pkexec || sudo)
    return ok(`${[pkexec && 'pkexec', sudo && 'sudo'].filter(Boolean).join(' and ')} can be asked`);
  if (userNamespace.works) return ok('neither pkexec nor sudo is there; not needed here');
  return failed('neither pkexec nor sudo is there', 'install pkexec or sudo');
}

function judgePolkitAction({ polkitAction }: Facts): Finding {
  if (polkitAction !== undefined) return ok(polkitAction);
  return ok('not installed: pkexec asks in general words, and each time; a package of Culvert installs it');
}

function judgeOpenFiles({ openFiles }: Facts): Finding {
  if (openFiles === undefined) return warning('not known: the native part is missing', 'see above');
  const { hard } = openFiles;
  const connections = Math.max(0, Math.min(maxConnections, Math.floor((hard - reservedDescriptors) / 2)));
  const found = `hard limit ${hard === Infinity ? 'none' : hard}: about ${connections} connections at once`;
  if (connections >= fewConnections) return ok(found);
  return warning(
    found,
    'raise the hard limit of open files (limits.conf(5), or LimitNOFILE= of the service)',
  );
}

function judgeElectron({ electron }: Facts): Finding {
  return ok(electron ?? 'not there; only the window needs it, the command line does not');
}

function judgePing(): Finding {
  return ok('does not work on a lane, and is not meant to: ICMP cannot go through a proxy; try curl instead');
}

function judgeLane(facts: Facts): Finding {
  const { lane } = facts;
  if (lane.works) return ok(`made and removed, ${lane.mode}, in ${lane.ms} ms`);
  const todo = 'see the lines above';
  return waysOf(facts).privileged
    ? warning(`not without a password: ${lane.words}`, 'use --isolation helper')
    : failed(lane.words, todo);
}
