/** What to say when the parts of Culvert do not find or understand each other. */
import type { Themed } from './sentence.ts';

export const engine = {
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
  'lane-unknown': {
    what: 'there is no such running app',
    why: 'it has ended, or the number is another one',
    todo: 'see `culvert ps`',
  },
  'runtime-dir-unsafe': {
    what: "Culvert's directory for sockets cannot be used",
    why: 'it does not belong to you alone',
    todo: 'remove it, or set XDG_RUNTIME_DIR to a directory of yours with mode 0700',
  },
  'native-missing': {
    what: "Culvert's native part is missing",
    why: 'libculvert.so or culvert-launch was not built or does not fit this machine',
    todo: 'build it with `build/setup.sh run`, or install the package again',
  },
  'window-unavailable': {
    what: 'the window was not opened',
    why: 'it needs a display, a user who is not root, and Electron',
    todo: 'see the detail; everything can be done on the command line as well (`culvert help`)',
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
  'history-unwritable': {
    what: 'the traffic of the past is not being kept',
    why: 'its files could not be written',
    todo: 'make room on the disk, or see whose the folder is; what is kept in memory goes on',
  },
  'history-unreadable': {
    what: 'the traffic that was kept cannot be shown',
    why: 'its files could not be read',
    todo: 'see whose they are, or clear the history',
  },
} satisfies Themed;
