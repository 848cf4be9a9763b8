/** What to say when an isolated network cannot be made or kept. */
import type { Themed } from './sentence.ts';

export const isolation = {
  'userns-forbidden': {
    what: 'an isolated network without a password is not possible',
    why: 'this system does not let ordinary users create user namespaces',
    todo: 'turn the switch named here on, or allow the helper (--isolation helper)',
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
  'identity-refused': {
    what: 'the helper refused to work',
    why: 'it serves only the ordinary user who asked for it',
    todo: 'start Culvert as the user who is to run the app',
  },
  'nested-lane': {
    what: 'Culvert cannot run inside one of its own isolated networks',
    why: 'this terminal is already on one; everything started here goes through its proxy',
    todo: 'run the command as it is, or open a terminal outside',
  },
} satisfies Themed;
