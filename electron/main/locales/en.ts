/** What main says, in English. */
import { describe } from '#shared/failure.ts';
import type { Words } from './words.ts';

const outcomes = {
  ok: 'All as it should be',
  failed: 'Something failed',
  leak: 'A leak was found',
  unknown: 'Not everything could be found out',
};

export const english: Words = {
  failure: describe,
  said: ({ text }) => text,
  status: {
    engineFailed: 'Culvert’s engine is not running',
    silent: 'An engine does not answer',
    blocked: 'All traffic is blocked',
    unreachable: 'Proxy unreachable: blocked',
    idle: 'No running apps',
    unprotected: (unprotected, all) => `${unprotected} of ${all} running apps not proxied`,
    protected: (count) => (count === 1 ? 'One app through its proxy' : `${count} apps through their proxies`),
    offline: (count) => (count === 1 ? 'One app, without network' : `${count} apps, without network`),
  },
  standing: {
    starting: 'Starting',
    protected: 'Protected',
    direct: 'Not proxied',
    'no-network': 'No network',
    blocked: 'Proxy unreachable: blocked',
    silent: 'Not answering',
    stopping: 'Stopping',
    ended: 'Ended',
    failed: 'Did not start',
  },
  builtIn: { none: 'No network', direct: 'Direct (isolated)' },
  menu: {
    open: 'Open Culvert',
    openApp: 'Open App…',
    recent: 'Recent',
    defaultProfile: 'Default Profile',
    asksEachTime: 'Ask Each Time',
    more: 'More…',
    proxy: 'Proxy',
    check: 'Check',
    stop: 'Stop',
    proxying: 'Proxying On',
    block: 'Block All Traffic',
    settings: 'Settings',
    quit: 'Quit…',
  },
  ask: {
    cancel: 'Cancel',
    close: 'Close',
    proxyOff: (apps) => `Let ${apps} use your normal connection?`,
    proxyOffDetail:
      'Without the proxy, websites see your own address. Open connections are closed. Apps whose proxy was typed on the command line stay behind it.',
    proxyOffYes: 'Turn proxying off',
    typed: (apps) => `Block ${apps}, too?`,
    typedDetail:
      'Their proxy was typed on the command line and cannot be given back. They stay blocked until you choose a profile for them.',
    typedYes: 'Block',
    quit: (count) => (count === 1 ? 'One app is still running' : `${count} apps are still running`),
    quitDetail: (apps) => `${apps}. An app that keeps running stays on its own network with its profile.`,
    keepRunning: 'Keep running',
    stopApps: 'Stop apps',
    notStopped: (apps) => `Not ended yet: ${apps}`,
    notStoppedDetail:
      'They may be asking what to save. What is not saved is lost when they are forced to stop.',
    force: 'Force stop',
    closing: 'Hide the window, or quit Culvert?',
    closingDetail:
      'Hidden, Culvert stays in the status area. Either way, apps that run stay on their networks with their profiles.',
    hide: 'Hide the window',
    quitWindow: 'Quit',
    remember: 'Do the same from now on',
    failed: (app) => `It did not work for ${app}`,
    checked: (app, outcome) => `${app}: ${outcomes[outcome]}`,
  },
  notice: {
    lost: (profile) => `Can’t reach the proxy “${profile}”`,
    lostText: (apps) => `${apps}: offline until the proxy answers. Nothing went out directly.`,
    restored: (profile) => `The proxy “${profile}” answers again`,
    restoredText: (apps) => `${apps}: online again through the proxy.`,
    escaped: (app) => `${app} opened outside of its isolated network`,
    escapedText: 'A copy that was already running took over. Close that one, and open the app again.',
    leak: (app) => `Leak found: ${app}`,
    leakText: 'Its traffic may not go through the proxy alone. Stop the app, and look at the check.',
    background: 'Culvert keeps running',
    backgroundText: 'It is in the status area. Start Culvert again to see its window.',
  },
};
