/**
 * What is done with a file that was dropped or chosen: it is opened, or kept among the apps, once the user has said
 * what has to be said about it.
 *
 * Must not: go on where the user has not answered.
 */
import { defineStore } from 'pinia';
import type { AppView, TargetView } from '#shared/app-protocol.ts';
import { call } from '../bridge.ts';
import { i18n } from '../i18n.ts';
import { useKeptApps } from './kept-apps.ts';
import { useNotices } from './notices.ts';
import { useOpening, type Purpose } from './opening.ts';
import { useOverview } from './overview.ts';
import { useProfileImport } from './profile-import.ts';

export const useTaking = defineStore('taking', () => {
  const opening = useOpening();
  const kept = useKeptApps();
  const notices = useNotices();
  const overview = useOverview();

  /** Looks at what was dropped or chosen, and opens or pins it, or says why not. */
  async function take(path: string, purpose: Purpose): Promise<void> {
    const answer = await call('app.target', { path });
    if (!answer.ok) notices.fail(answer.failure);
    else await takeTarget(answer.value, purpose);
  }

  /**
   * Opens an app by its id, or by the path that it is known by, through a profile where one is given. Waits for the
   * engine, which is still starting where the window was started for this.
   */
  async function openApp(id: string, profile?: string): Promise<void> {
    await overview.hasOwnEngine();
    if (id.startsWith('/') && profile === undefined) {
      await take(id, 'open');
      return;
    }
    const answer = await call('app.list', {});
    const listed = answer.ok ? answer.value.find((known) => known.id === id) : undefined;
    const app = listed ?? (id.startsWith('/') ? await appAt(id) : undefined);
    if (app !== undefined) await opening.open(app, profile === undefined ? {} : { profile });
    else notices.fail(answer.ok ? { code: 'app-unknown', detail: id } : answer.failure);
  }

  /** The app that a file is. */
  async function appAt(path: string): Promise<AppView | undefined> {
    const answer = await call('app.target', { path });
    if (!answer.ok) return undefined;
    const target = answer.value;
    return target.kind === 'entry' || target.kind === 'program' ? target.app : undefined;
  }

  async function takeTarget(target: TargetView, purpose: Purpose): Promise<void> {
    if (target.kind === 'import') await useProfileImport().read({ kind: 'file', path: target.path });
    else if (target.kind === 'refused') opening.question = target;
    else if (target.kind === 'entry' && target.needsTrust)
      opening.question = { kind: 'trust', target, purpose };
    else if (target.kind === 'program' && !target.isExecutable)
      opening.question = { kind: 'executable', target, purpose };
    else await finish(target.app, purpose);
  }

  async function finish(app: AppView, purpose: Purpose): Promise<void> {
    opening.dismiss();
    if (purpose === 'open') {
      await opening.open(app);
      return;
    }
    await kept.pin(app.id, true);
    notices.tell(i18n.global.t('apps.added', { app: app.name }));
  }

  /** The user has seen what an entry from elsewhere starts. */
  async function trust(): Promise<void> {
    const asked = opening.question;
    if (asked?.kind !== 'trust') return;
    const { app, mark } = asked.target;
    opening.dismiss();
    const answer = await call('app.trust', { path: app.id, mark });
    if (answer.ok) await finish(app, asked.purpose);
    else notices.fail(answer.failure);
  }

  async function makeExecutable(): Promise<void> {
    const asked = opening.question;
    if (asked?.kind !== 'executable') return;
    opening.dismiss();
    const answer = await call('app.makeExecutable', { path: asked.target.path });
    if (answer.ok) await finish(asked.target.app, asked.purpose);
    else notices.fail(answer.failure);
  }

  async function chooseFile(): Promise<void> {
    const answer = await call('file.choose', {});
    if (!answer.ok) notices.fail(answer.failure);
    else if (answer.value !== null) await take(answer.value, 'open');
  }

  return { take, openApp, trust, makeExecutable, chooseFile };
});
