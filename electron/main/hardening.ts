/**
 * Takes from Chromium what the window does not need: the network, permissions, other pages, other windows (S39,
 * S41). test/app/hardening.test.ts asserts each.
 *
 * Must not: be loosened for a screen: what a screen needs comes through shared/contract.ts.
 */
import { app, Menu, type Session, type WebContents } from 'electron';
import { pageOrigin, startPage } from './page-policy.ts';

/** Chromium's own errands; what is left of them finds no name and no proxy. */
const switches: readonly (readonly [string, string?])[] = [
  ['disable-background-networking'],
  ['disable-component-update'],
  ['disable-domain-reliability'],
  ['disable-sync'],
  ['no-pings'],
  ['dns-prefetch-disable'],
  ['host-resolver-rules', 'MAP * ~NOTFOUND'],
  [
    'disable-features',
    'AutofillServerCommunication,MediaRouter,OptimizationHints,WebRtcHideLocalIpsWithMdns',
  ],
  ['force-webrtc-ip-handling-policy', 'disable_non_proxied_udp'],
];

/** Before Electron is ready: the sandbox for every page, and no network of Chromium's own. */
export function hardenApp(): void {
  app.enableSandbox();
  for (const [name, value] of switches) app.commandLine.appendSwitch(name, value);
  app.on('web-contents-created', (_event, contents) => {
    hardenContents(contents);
  });
  app.on('certificate-error', (event, _contents, _url, _error, _certificate, trust) => {
    event.preventDefault();
    trust(false);
  });
}

/** Once Electron is ready: nothing but the page's own files is loaded, and nothing is permitted. */
export function hardenSession(session: Session): void {
  session.webRequest.onBeforeRequest((details, answer) => {
    answer({ cancel: !details.url.startsWith(`${pageOrigin}/`) });
  });
  session.setPermissionRequestHandler((_contents, _permission, answer) => {
    answer(false);
  });
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler(null);
  session.setSpellCheckerEnabled(false);
  session.on('will-download', (event) => {
    event.preventDefault();
  });
}

function hardenContents(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp');
  const stay = (event: { preventDefault(): void; readonly url?: string }): void => {
    if (event.url !== startPage) event.preventDefault();
  };
  contents.on('will-navigate', stay);
  contents.on('will-frame-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-attach-webview', (event) => {
    event.preventDefault();
  });
}

/** The keys that belong to the window itself; the menu is not shown. */
export function setMenu(): void {
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      {
        label: 'Culvert',
        submenu: [
          { role: 'close' },
          { role: 'quit', accelerator: 'Ctrl+Q' },
          { role: 'zoomIn' },
          { role: 'zoomOut' },
          { role: 'resetZoom' },
        ],
      },
    ]),
  );
}
