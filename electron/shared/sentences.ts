/** The one place that knows what to say of each failure. A code without a sentence does not compile. */
import type { FailureCode } from './failure.ts';

export interface Sentence {
  readonly what: string;
  readonly why: string;
  readonly todo: string;
}

export const sentences: Record<FailureCode, Sentence> = {
  internal: {
    what: 'something inside Culvert went wrong',
    why: 'this is a defect in Culvert, not in your set-up',
    todo: 'please report it with the detail shown here',
  },
  'bad-message': {
    what: 'a message between parts of Culvert was not understood',
    why: 'the two sides do not speak the same protocol',
    todo: 'stop every running Culvert and start it again',
  },
  'version-mismatch': {
    what: 'the parts of Culvert do not fit together',
    why: 'the engine and its helper are of different versions, perhaps because of an upgrade while it ran',
    todo: 'stop every running Culvert and start it again',
  },
  'userns-forbidden': {
    what: 'an isolated network without a password is not possible',
    why: 'this system does not let ordinary users create user namespaces',
    todo: 'turn the switch named here on, or use --isolation helper',
  },
  'namespace-forbidden': {
    what: 'the isolated network could not be created',
    why: 'the kernel refused a network or mount namespace',
    todo: 'in a container, allow CAP_SYS_ADMIN and CAP_NET_ADMIN; see `culvert doctor`',
  },
  'tool-missing': {
    what: 'a system program that Culvert needs is missing',
    why: '`ip` (iproute2) and `nft` (nftables) build the isolated network',
    todo: 'install iproute2 and nftables with your package manager',
  },
  'nft-failed': {
    what: 'the rules of the isolated network could not be loaded',
    why: 'nft refused them',
    todo: 'see `culvert doctor` for the kernel features that are needed',
  },
  'ip-failed': {
    what: 'the link of the isolated network could not be made',
    why: 'ip refused a step',
    todo: 'see `culvert doctor` for the kernel features that are needed',
  },
  'sysctl-failed': {
    what: 'the isolated network could not be locked down',
    why: 'a kernel setting did not keep the value that was written',
    todo: 'in a container, make /proc/sys/net writable; see `culvert doctor`',
  },
  'lane-check-failed': {
    what: 'the isolated network is not what it should be',
    why: 'the check before the start found other interfaces than the expected ones',
    todo: 'nothing was started; please report it with the detail shown here',
  },
  'lane-unknown': {
    what: 'there is no such running app',
    why: 'it has ended, or the number is another one',
    todo: 'see `culvert ps`',
  },
  'lane-quota': {
    what: 'no further app was started',
    why: 'the number of isolated networks at once is limited',
    todo: 'stop one that you no longer need (`culvert ps`, `culvert stop`)',
  },
  'descriptor-failed': {
    what: 'a socket of the isolated network could not be handed over',
    why: 'the system refused a descriptor',
    todo: 'raise the limit of open files (`ulimit -n`) and try again',
  },
  'helper-start-failed': {
    what: 'the helper that makes isolated networks did not start',
    why: 'it ended before it could answer',
    todo: 'see the detail, and `culvert doctor`',
  },
  'helper-timeout': {
    what: 'the helper that makes isolated networks did not answer',
    why: 'the waiting time is over',
    todo: 'try again; if it stays, see `culvert doctor`',
  },
  'helper-lost': {
    what: 'the helper that makes isolated networks is gone',
    why: 'it was ended from outside',
    todo: 'running apps keep their network; start Culvert again to open new ones',
  },
  'helper-refused': {
    what: 'the helper that answered was refused',
    why: 'it does not run as the user that it should',
    todo: 'stop every running Culvert and start it again',
  },
  'pkexec-dismissed': {
    what: 'permission was not given',
    why: 'the password dialog was closed',
    todo: 'try again, or use --isolation rootless',
  },
  'pkexec-refused': {
    what: 'permission was not given',
    why: 'the system does not allow this user to make isolated networks, or the password was wrong',
    todo: 'try again, or use --isolation rootless',
  },
  'pkexec-no-agent': {
    what: 'permission could not be asked for',
    why: 'no authentication agent runs in this session',
    todo: 'start one (for example polkit-gnome or lxpolkit), or run Culvert in a terminal, where it can use sudo',
  },
  'pkexec-missing': {
    what: 'permission could not be asked for',
    why: 'pkexec is not installed',
    todo: 'install pkexec (polkit), or run Culvert in a terminal, where it can use sudo',
  },
  'no-new-privs': {
    what: 'permission could not be asked for',
    why: 'this process was started with NoNewPrivs, so neither pkexec nor sudo can work',
    todo: 'start Culvert from your desktop or a fresh terminal, or use --isolation rootless',
  },
  'sudo-refused': {
    what: 'permission was not given',
    why: 'sudo refused',
    todo: 'try again with the right password, or use --isolation rootless',
  },
  'no-way-to-root': {
    what: 'permission could not be asked for',
    why: 'neither pkexec nor sudo can be used here',
    todo: 'install pkexec or sudo, or use --isolation rootless',
  },
  'identity-refused': {
    what: 'the helper refused to work',
    why: 'it serves only the ordinary user who asked for it',
    todo: 'start Culvert as the user who is to run the app',
  },
  'launch-failed': {
    what: 'the app did not start',
    why: 'a step before its start failed, so nothing was started',
    todo: 'see the detail, and `culvert doctor`',
  },
  'command-not-found': {
    what: 'the command was not found',
    why: 'there is no such file, or it is not in PATH',
    todo: 'check the spelling, or give the full path',
  },
  'command-not-executable': {
    what: 'the command cannot be run',
    why: 'the file is not executable',
    todo: 'make it executable (`chmod +x`), or name the program that opens it',
  },
  'nested-lane': {
    what: 'Culvert cannot run inside one of its own isolated networks',
    why: 'this terminal is already on one; everything started here goes through its proxy',
    todo: 'run the command as it is, or open a terminal outside',
  },
  'runtime-dir-unsafe': {
    what: "Culvert's directory for sockets cannot be used",
    why: 'it does not belong to you alone',
    todo: 'remove it, or set XDG_RUNTIME_DIR to a directory of yours with mode 0700',
  },
  'native-missing': {
    what: "Culvert's native part is missing",
    why: 'libculvert.so or culvert-launch was not built or does not fit this machine',
    todo: 'build it with `build/setup.sh`, or install the package again',
  },
  'engine-unreachable': {
    what: 'no running Culvert was found',
    why: 'no engine of yours answers',
    todo: 'start an app with `culvert run`',
  },
  'engine-limit': {
    what: 'a connection was refused',
    why: 'the limit of open connections is reached',
    todo: 'close some, or raise the limit of open files (`ulimit -n`)',
  },
  'peer-refused': {
    what: 'the engine refused the connection',
    why: 'only you, from outside of isolated networks, may control it',
    todo: 'run the command as the user who started the app, outside of it',
  },
  'proxy-url-invalid': {
    what: 'the proxy was not understood',
    why: 'a proxy is written like socks5://user:password@host:port',
    todo: 'correct it and try again',
  },
  'option-invalid': {
    what: 'an option was not understood',
    why: 'its value is not one of those that are possible',
    todo: 'see `culvert help VERB`',
  },
  'proxy-unreachable': {
    what: "can't reach the proxy",
    why: 'it does not answer at its address',
    todo: 'check that it runs and that the address is right; the app stays without network',
  },
  'proxy-timeout': {
    what: "the proxy didn't answer in time",
    why: 'the time for the whole dialogue is over',
    todo: 'try again later, or use another proxy; the app stays without network',
  },
  'proxy-sign-in-refused': {
    what: 'the proxy refused the sign-in',
    why: 'user name or password are wrong, or it wants some and none were given',
    todo: 'check both',
  },
  'proxy-refused': {
    what: 'the proxy refused the connection',
    why: 'it could not or would not reach the destination',
    todo: 'the reason that it gave is in the detail',
  },
  'proxy-protocol-error': {
    what: "the proxy's answer was not understood",
    why: 'this is not a proxy of the kind that you chose, or it is broken',
    todo: 'check the kind and the port of the proxy',
  },
  'proxy-closed': {
    what: 'the proxy closed the connection',
    why: 'it did so before the dialogue was complete',
    todo: 'check that the kind and the port of the proxy are right',
  },
  'host-name-invalid': {
    what: 'a connection was refused',
    why: 'its host name has characters that cannot be sent to a proxy, or is too long',
    todo: 'check the name in the app',
  },
  'destination-blocked': {
    what: 'a connection was refused',
    why: 'a rule or a setting of the profile blocks its destination',
    todo: 'change the profile if it should be possible',
  },
  'destination-unreachable': {
    what: 'a connection failed',
    why: 'its destination cannot be reached from this computer',
    todo: 'check that the destination is right and that this computer has a network',
  },
  'fake-address-unmapped': {
    what: 'a connection was refused',
    why: 'the app used an address that stood for a name which is no longer known',
    todo: 'let the app look the name up again (restart it)',
  },
  'udp-not-offered': {
    what: 'UDP refused',
    why: 'the proxy does not offer it',
    todo: 'apps fall back to TCP where they can; use a SOCKS5 proxy with UDP for the others',
  },
  'dns-failed': {
    what: 'a name could not be looked up',
    why: 'the resolver behind the proxy did not answer',
    todo: 'use --dns fake, or name another resolver',
  },
  'profile-unknown': {
    what: 'there is no such profile',
    why: 'none has this id, or it was deleted',
    todo: 'see `culvert profile ls`',
  },
  'profile-in-use': {
    what: 'the profile was not deleted',
    why: 'something still uses it',
    todo: 'change that first, or delete it with --force: rules and profiles that lead to it will then block',
  },
  'app-unknown': {
    what: 'there is no such app',
    why: 'no desktop entry and no program has this name',
    todo: 'see `culvert app ls`, or give the full path',
  },
  'rule-unknown': {
    what: 'there is no such rule',
    why: 'none has this id',
    todo: 'see `culvert rule ls`',
  },
  'config-invalid': {
    what: 'the configuration was not understood',
    why: 'a field in culvert.json is not what it should be',
    todo: 'correct the place that is named here; the last good copy beside it is unchanged',
  },
  'config-newer': {
    what: 'the configuration was not read',
    why: 'a newer version of Culvert wrote it',
    todo: 'use that version, or move culvert.json away to begin anew',
  },
  'config-unwritable': {
    what: 'the configuration was not saved',
    why: 'the file or its directory cannot be written',
    todo: 'make room or give yourself the right to write there; the old configuration is unchanged',
  },
  'config-locked': {
    what: 'the configuration was not saved',
    why: 'another Culvert is writing it and does not come to an end',
    todo: 'try again; the old configuration is unchanged',
  },
  'rule-invalid': {
    what: 'the rule was not understood',
    why: 'a part of it is not what it should be',
    todo: 'correct it and try again; nothing was changed',
  },
  'query-invalid': {
    what: 'the query was not understood',
    why: 'a part of it is not what it should be',
    todo: 'see `culvert connections --help`',
  },
  'import-invalid': {
    what: 'nothing was imported',
    why: 'the text is not of a kind that Culvert can read',
    todo: 'give proxy links, a proxychains.conf, a Proxifier profile or a Clash file',
  },
  'chain-empty': {
    what: 'a connection was refused',
    why: 'the profile has no proxy server that is on',
    todo: 'add one to the profile; the app stays without network',
  },
  'chain-exhausted': {
    what: 'a connection was refused',
    why: 'fewer servers of the chain are alive than it needs',
    todo: 'check the servers (`culvert profile test`); the app stays without network',
  },
  'certificate-refused': {
    what: 'the proxy was refused',
    why: 'its certificate cannot be verified',
    todo: 'check the host name and the certificate; if you know it, accept its fingerprint in the profile',
  },
  'egress-missing': {
    what: 'a connection was refused',
    why: 'the interface that the profile names as the way out is not there',
    todo: 'connect it, or choose another one in the profile; the app stays without network',
  },
  'host-port-taken': {
    what: 'a port of this computer was not opened to the app',
    why: 'the app listens on the same port itself',
    todo: 'change the port of one of the two',
  },
  'secrets-unavailable': {
    what: 'the password cannot be stored safely',
    why: 'there is no Secret Service in this session',
    todo: 'unlock or start a keyring; until then it is kept in a file that only you can read',
  },
  'secret-unreadable': {
    what: 'the password of the proxy could not be read',
    why: 'the place where it is kept is locked, does not answer or is damaged',
    todo: 'unlock the keyring, or set the password again (`culvert profile edit PROFILE --password-stdin`)',
  },
  'probe-unreachable': {
    what: 'the check could not be made',
    why: 'the server that it asks cannot be reached',
    todo: 'try again later, or name another one with --url; this says nothing about leaks',
  },
  'leak-found': {
    what: 'a leak was found',
    why: 'something reached the outside that did not go the way of the profile',
    todo: 'stop the app and report it with the detail shown here',
  },
  'blocked-by-rule': {
    what: 'a connection was refused',
    why: 'a rule blocks it',
    todo: 'see `culvert rule ls` if it should be possible',
  },
  'blocked-by-profile': {
    what: 'a connection was refused',
    why: 'the profile blocks what no rule allows',
    todo: 'choose another profile (`culvert switch`) if it should be possible',
  },
  'entry-invalid': {
    what: 'the app cannot be started',
    why: 'its desktop entry is not as it should be',
    todo: 'correct the entry, or start the program itself with `culvert run`',
  },
  'app-refused': {
    what: 'this cannot be opened as an app',
    why: 'it is not a desktop entry, program, AppImage or script',
    todo: 'choose the program that opens it',
  },
  'app-untrusted': {
    what: 'the app was not opened',
    why: 'its desktop entry is outside of the application folders, so anybody may have put it there',
    todo: 'look at the command that it starts, and say that you trust it',
  },
  'app-ambiguous': {
    what: 'the app was not opened',
    why: 'several have this name',
    todo: 'name one of them by its id',
  },
  'app-running-outside': {
    what: 'the app is already open outside of its isolated network',
    why: 'it would hand over to the one that runs, which is not proxied',
    todo: 'close it and open it again, or open it with a separate profile',
  },
  'terminal-missing': {
    what: 'the app was not opened',
    why: 'it needs a terminal, and none was found that stays in the isolated network',
    todo: 'install one such as xterm, foot or konsole, or use `culvert run` in a terminal',
  },
  'launcher-unknown': {
    what: 'there is no such launcher',
    why: 'none of those that Culvert made has this name',
    todo: 'see `culvert launcher ls`',
  },
};
