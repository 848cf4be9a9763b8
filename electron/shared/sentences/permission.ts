/** What to say when the right to make isolated networks was not got. */
import type { Themed } from './sentence.ts';

export const permission = {
  'pkexec-dismissed': {
    what: 'permission was not given',
    why: 'the password dialog was closed',
    todo: 'try again, or take the way without a password (--isolation rootless)',
  },
  'pkexec-refused': {
    what: 'permission was not given',
    why: 'the system does not allow this user to make isolated networks, or the password was wrong',
    todo: 'try again, or take the way without a password (--isolation rootless)',
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
    todo: 'start Culvert from your desktop or a fresh terminal, or take the way without a password (--isolation rootless)',
  },
  'sudo-refused': {
    what: 'permission was not given',
    why: 'sudo refused',
    todo: 'try again with the right password, or take the way without one (--isolation rootless)',
  },
  'no-way-to-root': {
    what: 'permission could not be asked for',
    why: 'neither pkexec nor sudo can be used here',
    todo: 'install pkexec or sudo, or take the way without a password (--isolation rootless)',
  },
  'helper-untrusted': {
    what: 'this copy of Culvert does not run as root',
    why: 'it lies where others than root can change it, as an AppImage does',
    todo: 'take the way without a password (--isolation rootless), or install a package of Culvert',
  },
} satisfies Themed;
