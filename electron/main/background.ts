/**
 * Culvert without its window to be seen: the status icon and what its menu does, notices, and what closing the
 * window and quitting mean.
 *
 * Does: lets the window hide only while the desktop shows status icons; where it does not, closing the window ends
 * this program (running apps go on, each on its network), and starting Culvert again shows what runs.
 */
import { app } from 'electron';
import type { ShownLane, WindowHandlers } from '#shared/contract.ts';
import { failureOf, type FailureCode } from '#shared/failure.ts';
import { chooseLanguage } from '#shared/language.ts';
import { builtInProfiles, builtIns, headOf } from '#shared/profile.ts';
import type { CheckReport, ProfileHead } from '#shared/model.ts';
import { askOwn } from './app-handlers.ts';
import { overviewOf, type Parts } from './handlers.ts';
import { LaneSwitches } from './lane-switches.ts';
import { wordsIn } from './locales/index.ts';
import type { Words } from './locales/words.ts';
import { Notices } from './notices.ts';
import { Notifications } from './notifications.ts';
import type { Places } from './places.ts';
import { Questions } from './questions.ts';
import { Quitting } from './quitting.ts';
import { RecentApps } from './recent-apps.ts';
import { TrayHost } from './tray-host.ts';
import { runningLanes, trayModel, type RecentApp, type TrayCommand, type TrayModel } from './tray-menu.ts';
import { StatusIcon } from './tray.ts';
import { WindowClosing } from './window-closing.ts';
import type { MainWindow, WindowScreen } from './window.ts';

/** What was held back is looked at again. */
const lookAgainMs = 10_000;

/** What stands between a click and an app that only its user can answer. */
const askedInWindow: ReadonlySet<FailureCode> = new Set([
  'profile-missing',
  'app-running-outside',
  'app-untrusted',
]);

export class Background {
  readonly #parts: Parts;
  readonly #window: MainWindow;
  readonly #notices = new Notices();
  readonly #notifications: Notifications;
  readonly #questions = new Questions(() => this.#words);
  readonly #switches = new LaneSwitches((lane, profile) => {
    this.#do(lane, async () => {
      await this.#parts.engines.ofLane(lane).call('lane.switch', { lane, profile });
    });
  });
  readonly #icon = new StatusIcon({
    model: () => this.#model(),
    run: (command) => {
      this.#run(command);
    },
  });
  readonly #host = new TrayHost(process.env, (isThere) => {
    if (isThere) this.#icon.start();
  });
  readonly #timer: NodeJS.Timeout;
  readonly #quitting = new Quitting({
    questions: this.#questions,
    lanes: () => this.#lanes,
    stop: (lane, force) => {
      this.#do(lane, () => this.#stop(lane, force));
    },
    onChange: (listener) => this.#parts.engines.on('changed', listener),
  });
  readonly #recent: RecentApps;
  #profiles: readonly ProfileHead[] = builtInProfiles.map((id) => headOf(builtIns[id]));
  #defaultProfile: string | undefined;
  #isAsking = false;

  /** Takes over what closing the window means. */
  constructor(parts: Parts, window: MainWindow, places: Pick<Places, 'toldOnce' | 'recentApps'>) {
    this.#parts = parts;
    this.#window = window;
    this.#recent = new RecentApps(places.recentApps);
    this.#notifications = new Notifications(window);
    const closing = new WindowClosing({
      ...{ window, preferences: parts.preferences, questions: this.#questions },
      ...{ notifications: this.#notifications, keptAt: places.toldOnce },
      words: () => this.#words,
      hasIcon: () => this.#host.ask(),
    });
    const { engines } = parts;
    engines.on('config', ({ profiles, config }) => {
      this.#profiles = profiles;
      this.#defaultProfile = config.defaultProfile;
      this.#icon.update();
    });
    engines.on('notice', (event) => {
      this.#notifications.tell(this.#notices.escaped(event, performance.now(), this.#words));
    });
    window.onCloseAsked(() => closing.ask());
    app.on('before-quit', () => {
      window.leave();
    });
    this.#timer = setInterval(() => {
      this.update();
    }, lookAgainMs);
    void this.#host.start();
  }

  /** Something may have changed in what runs, or in how it is to be said. */
  update(): void {
    const overview = overviewOf(this.#parts);
    this.#switches.update(overview.lanes);
    this.#recent.update(overview.lanes);
    for (const notice of this.#notices.update(overview, performance.now(), this.#words))
      this.#notifications.tell(notice);
    this.#icon.update();
  }

  /** The window's handlers, with an ear for what matters here, too. */
  hearing(handlers: WindowHandlers): WindowHandlers {
    return {
      ...handlers,
      'preferences.set': async (change) => {
        const value = await handlers['preferences.set'](change);
        this.#icon.update();
        return value;
      },
      'lane.switch': async (params) => {
        // While everything is blocked it is what the app has afterwards.
        if (this.#switches.isBlocking && params.profile !== 'none') {
          this.#switches.choose(params.lane, params.profile);
          return { closed: 0 };
        }
        return handlers['lane.switch'](params);
      },
      'app.open': async (params) => {
        const value = await handlers['app.open'](params);
        this.#opened(params.app, value.lanes);
        return value;
      },
      'lane.check': async (params) => {
        const report = await handlers['lane.check'](params);
        this.#checked(params.lane, report);
        return report;
      },
    };
  }

  #checked(lane: string, report: CheckReport): void {
    const name = this.#lane(lane)?.name ?? lane;
    this.#notifications.tell(this.#notices.checked(lane, name, report, performance.now(), this.#words));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#host.close();
  }

  get #words(): Words {
    return wordsIn[chooseLanguage(this.#parts.preferences.now.language, app.getPreferredSystemLanguages())];
  }

  get #lanes(): readonly ShownLane[] {
    return runningLanes(overviewOf(this.#parts));
  }

  #lane(id: string): ShownLane | undefined {
    return this.#lanes.find((lane) => lane.id === id);
  }

  #model(): TrayModel {
    const { isBlocking, isOff, proxied, restorable } = this.#switches;
    return trayModel(
      {
        overview: overviewOf(this.#parts),
        profiles: this.#profiles,
        defaultProfile: this.#defaultProfile,
        recent: this.#recent.now,
        isBlocking,
        isProxyingOff: isOff,
        canTurnOff: proxied.length > 0 && !isBlocking,
        restorable,
      },
      this.#words,
    );
  }

  #run(command: TrayCommand): void {
    switch (command.do) {
      case 'open':
        this.#window.show();
        return;
      case 'apps':
      case 'running':
      case 'profiles':
      case 'settings':
        this.#goTo(command.do);
        return;
      case 'open-app':
        void this.#openApp(command);
        return;
      case 'default':
        void this.#setDefault(command.profile);
        return;
      case 'check':
        this.#do(command.lane, () => this.#check(command.lane));
        return;
      case 'stop':
        this.#do(command.lane, () => this.#stop(command.lane));
        return;
      case 'switch':
        this.#switches.choose(command.lane, command.profile);
        return;
      case 'proxy':
        if (command.isOn) this.#switches.turnOn(command.lane);
        else this.#ask(() => this.#turnOff(this.#lanes.filter(({ id }) => id === command.lane)));
        return;
      case 'proxying':
        if (command.isOn) this.#switches.turnOn();
        else this.#ask(() => this.#turnOff(this.#switches.proxied));
        return;
      case 'block':
        this.#ask(() => this.#block(command.isOn));
        return;
      case 'quit':
        this.#ask(() => this.#quitting.quit());
        return;
    }
  }

  /** Shows an app: where it runs, or else among all. */
  showApp(app: string): void {
    if (this.#lanes.some((lane) => lane.app === app)) this.#goTo('running', { app });
    else this.#goTo('apps');
  }

  /** Has the window open an app, with what is to be asked before. */
  askToOpen({ app, profile }: { readonly app: string; readonly profile: string | undefined }): void {
    this.#goTo('apps');
    this.#window.send('openApp', { app, ...(profile !== undefined && { profile }) });
  }

  #goTo(screen: WindowScreen, query: Readonly<Record<string, string>> = {}): void {
    this.#window.goTo(screen, query).catch(() => {
      // A page that is just being brought back: the window is shown all the same, at its first screen.
    });
  }

  #opened(app: string, lanes: readonly string[]): void {
    this.#recent.opened(app, lanes);
    this.update();
  }

  /** Opens an app as a click in the window does; what has to be asked before is asked there. */
  async #openApp({ app, name }: RecentApp): Promise<void> {
    try {
      const { lanes } = await askOwn(this.#parts, 'app.open', { app });
      this.#opened(app, lanes);
    } catch (error) {
      const failure = failureOf(error);
      if (!askedInWindow.has(failure.code)) {
        await this.#questions.failed(name, failure);
        return;
      }
      this.askToOpen({ app, profile: undefined });
    }
  }

  async #setDefault(profile: string | undefined): Promise<void> {
    try {
      await askOwn(this.#parts, 'profile.setDefault', profile === undefined ? {} : { profile });
    } catch (error) {
      await this.#questions.failed(this.#words.menu.defaultProfile, failureOf(error));
    }
  }

  /** One question at a time: the menu can be used while a box is open. */
  #ask(work: () => Promise<void>): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    void work().finally(() => {
      this.#isAsking = false;
      this.#icon.update();
    });
  }

  /** Does something to an app, and tells if it fails. */
  #do(lane: string, work: () => Promise<void>): void {
    const name = this.#lane(lane)?.name ?? lane;
    work().catch((error: unknown) => void this.#questions.failed(name, failureOf(error)));
  }

  async #check(lane: string): Promise<void> {
    const name = this.#lane(lane)?.name ?? lane;
    const report = await this.#parts.engines.ofLane(lane).call('lane.check', { lane });
    this.#checked(lane, report);
    await this.#questions.checked(name, report);
  }

  async #stop(lane: string, force = false): Promise<void> {
    await this.#parts.engines.ofLane(lane).call('lane.stop', { lane, force });
  }

  async #turnOff(lanes: readonly ShownLane[]): Promise<void> {
    if (lanes.length === 0 || !(await this.#questions.mayTurnOff(lanes))) return;
    this.#switches.turnOff(lanes);
  }

  async #block(isOn: boolean): Promise<void> {
    const { typed } = this.#switches;
    if (isOn && typed.length > 0 && !(await this.#questions.mayBlock(typed))) return;
    this.#switches.setBlocking(isOn);
  }
}
