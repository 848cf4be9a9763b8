/**
 * Culvert's window: wires its parts together and nothing else.
 *
 * Must not: start itself again (`app.relaunch` would leave NoNewPrivs set, and root out of reach, S22).
 */
import { dirname } from 'node:path';
import { app, dialog, session } from 'electron';
import { CulvertError, describe, failureOf } from '#shared/failure.ts';
import { chooseLanguage } from '#shared/language.ts';
import { askOwn } from './app-handlers.ts';
import { Background } from './background.ts';
import { Engines } from './engine-client.ts';
import { handlersFor, overviewOf, type Parts } from './handlers.ts';
import { hardenApp, hardenSession, setMenu } from './hardening.ts';
import { iconResponse } from './icon.ts';
import { serveWindow } from './ipc.ts';
import { wordsIn } from './locales/index.ts';
import { OwnEngine } from './own-engine.ts';
import { declarePageScheme, servePage } from './page.ts';
import { placesOf } from './places.ts';
import { KeptPreferences } from './preferences.ts';
import { startWords, type StartWords } from './start-words.ts';
import { MainWindow } from './window.ts';

const installed = app.isPackaged ? dirname(app.getPath('exe')) : undefined;
const places = placesOf(import.meta.dirname, process.env, installed);

async function main(): Promise<void> {
  // The starter of an AppImage adds it where the kernel forbids user namespaces: lanes could not be made either.
  if (installed !== undefined && app.commandLine.hasSwitch('no-sandbox'))
    throw new CulvertError('window-unavailable', { detail: 'it is not opened without its sandbox' });
  app.setPath('userData', places.browser);
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  hardenApp();
  declarePageScheme();
  await app.whenReady();
  setMenu();
  hardenSession(session.defaultSession);
  await open(startWords(process.argv));
}

async function open(words: StartWords): Promise<void> {
  let tellOverview = (): void => {};
  const own = new OwnEngine(places.product, () => {
    tellOverview();
  });
  const parts: Parts = {
    engines: new Engines(),
    own,
    preferences: new KeptPreferences(places.preferences),
  };
  own.start();
  servePage(session.defaultSession, places.page, async (asked) =>
    iconResponse(await askOwn(parts, 'app.icon', asked).catch(() => null)),
  );
  const window = new MainWindow(places);
  const background = new Background(parts, window, places);
  tellOverview = oncePerTurn(() => {
    window.send('overview', overviewOf(parts));
    background.update();
  });
  serveWindow(background.hearing(handlersFor(parts)), (frame) => window.isPage(frame));
  connect(parts, window, tellOverview);
  followConfig(parts);
  const obey = ({ app: shown, open: asked, isInBackground }: StartWords): void => {
    if (asked !== undefined) background.askToOpen(asked);
    else if (shown !== undefined) background.showApp(shown);
    else if (!isInBackground) window.show();
  };
  app.on('second-instance', (_event, argv) => {
    obey(startWords(argv));
  });
  window.onClosed(() => {
    // Who starts Culvert again while this process comes to its end gets a window of their own.
    app.releaseSingleInstanceLock();
    background.close();
    parts.engines.close();
    own.close();
    app.quit();
  });
  if (await window.load()) obey(words);
}

/** What the engines say goes on to the window. */
function connect({ engines }: Parts, window: MainWindow, tellOverview: () => void): void {
  engines.on('changed', tellOverview);
  engines.on('traffic', (value) => {
    window.send('traffic', value);
  });
  engines.on('pastTraffic', (value) => {
    window.send('pastTraffic', value);
  });
  engines.setSeen(window.isSeen);
  window.onSeen((isSeen) => {
    engines.setSeen(isSeen);
  });
  engines.on('flows', (value) => {
    window.send('flows', { ...value, counted: Float64Array.from(value.counted) });
  });
  engines.on('config', (value) => {
    window.send('config', value);
  });
  engines.on('notice', (value) => {
    window.send('notice', value);
  });
  engines.on('told', ({ event, value }) => {
    window.send(event, value);
  });
}

/** The configuration is told by the window's own engine, each time that one is started. */
function followConfig({ engines, own }: Parts): void {
  engines.on('joined', (pid) => {
    if (pid !== own.pid) return;
    engines.followConfig(pid).catch(() => {
      // It has ended meanwhile: the overview tells so.
    });
  });
}

/** Calls of one turn become one. */
function oncePerTurn(work: () => void): () => void {
  let isPending = false;
  return () => {
    if (isPending) return;
    isPending = true;
    setImmediate(() => {
      isPending = false;
      work();
    });
  };
}

main().catch((error: unknown) => {
  const failure = failureOf(error);
  process.stderr.write(`culvert: ${describe(failure)}\n`);
  if (app.isReady()) {
    const language = chooseLanguage('system', app.getPreferredSystemLanguages());
    dialog.showErrorBox('Culvert', wordsIn[language].failure(failure));
  }
  app.exit(1);
});
