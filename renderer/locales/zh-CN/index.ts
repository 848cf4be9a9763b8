/** What the window says in Simplified Chinese, a file for each screen. No two of them have a key in common. */
import apps from './apps.json';
import connections from './connections.json';
import firstRun from './first-run.json';
import notices from './notices.json';
import profiles from './profiles.json';
import rules from './rules.json';
import running from './running.json';
import settings from './settings.json';
import shell from './shell.json';
import traffic from './traffic.json';

export const chinese = {
  ...shell,
  ...apps,
  ...running,
  ...connections,
  ...traffic,
  ...profiles,
  ...rules,
  ...settings,
  ...firstRun,
  ...notices,
};
