/** What to say when an app or a command cannot be started. */
import type { Themed } from './sentence.ts';

export const apps = {
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
  'app-unknown': {
    what: 'there is no such app',
    why: 'no desktop entry and no program has this name',
    todo: 'see `culvert app ls`, or give the full path',
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
  'app-failed': {
    what: 'the app ended at once',
    why: 'it met an error of its own',
    todo: 'see what it wrote before, and whether it opens without Culvert',
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
  'launcher-impossible': {
    what: 'Culvert cannot be put into the menu or the start of the session',
    why: 'what it would be started by does not stay where it is',
    todo: 'install a package of Culvert',
  },
} satisfies Themed;
