/**
 * Opening an app, with what has to be asked on the way: through which profile, and what to do about an instance that
 * runs outside.
 *
 * Must not: go on where the user has not answered.
 */
import { defineStore } from 'pinia';
import { shallowReactive, shallowRef } from 'vue';
import type { AppView, InstanceView, TargetView } from '#shared/app-protocol.ts';
import type { WindowParams } from '#shared/contract.ts';
import { call } from '../bridge.ts';
import { i18n } from '../i18n.ts';
import { useNotices } from './notices.ts';
import { useProfiles } from './profiles.ts';

export type Request = WindowParams<'app.open'>;
/** What is done with something that was dropped or chosen. */
export type Purpose = 'open' | 'add';

type Entry = Extract<TargetView, { kind: 'entry' }>;
type Program = Extract<TargetView, { kind: 'program' }>;

export type Question =
  | { readonly kind: 'profile'; readonly app: AppView; readonly request: Request }
  | {
      readonly kind: 'running';
      readonly app: AppView;
      readonly request: Request;
      readonly instance: InstanceView;
      readonly state: 'asked' | 'closing' | 'still-open';
    }
  | { readonly kind: 'trust'; readonly target: Entry; readonly purpose: Purpose }
  | { readonly kind: 'executable'; readonly target: Program; readonly purpose: Purpose }
  | { readonly kind: 'refused'; readonly path: string; readonly reason: string; readonly sentence: string }
  | { readonly kind: 'launcher'; readonly app: AppView };

export const useOpening = defineStore('opening', () => {
  const profiles = useProfiles();
  const notices = useNotices();
  const question = shallowRef<Question>();
  /** Apps that are being started, by their ids. */
  const starting = shallowReactive(new Set<string>());

  function dismiss(): void {
    question.value = undefined;
  }

  /** Opens an app through the profile that is given, else its own, else the default; without any it asks. */
  async function open(app: AppView, more: Omit<Request, 'app'> = {}): Promise<void> {
    const request: Request = { ...more, app: app.id };
    if (starting.has(app.id)) return;
    const profile = more.profile === undefined ? profiles.profileOf(app) : undefined;
    if (more.profile === undefined && profile === undefined) {
      question.value = { kind: 'profile', app, request };
      return;
    }
    starting.add(app.id);
    const answer = await call('app.open', request);
    starting.delete(app.id);
    if (answer.ok) notices.tell(i18n.global.t('apps.opened', { app: app.name }));
    else if (answer.failure.code === 'profile-missing') question.value = { kind: 'profile', app, request };
    else if (answer.failure.code === 'app-running-outside') await askAboutInstance(app, request);
    else notices.fail(answer.failure);
  }

  async function askAboutInstance(app: AppView, request: Request): Promise<void> {
    const { profile, separate } = request;
    const asked = { app: app.id, ...(profile ? { profile } : {}), ...(separate ? { separate } : {}) };
    const answer = await call('app.instance', asked);
    if (!answer.ok) notices.fail(answer.failure);
    // It has ended between the two questions.
    else if (answer.value === null) await open(app, request);
    else question.value = { kind: 'running', app, request, instance: answer.value, state: 'asked' };
  }

  /** Asks the instance outside to end, and opens the app once it has. */
  async function closeAndReopen(): Promise<void> {
    const asked = question.value;
    if (asked?.kind !== 'running') return;
    const closing: Question = { ...asked, state: 'closing' };
    question.value = closing;
    const { pid, startTicks } = asked.instance;
    const answer = await call('app.close', { pid, startTicks });
    // Its user has turned away meanwhile.
    if (question.value !== closing) return;
    if (!answer.ok) {
      dismiss();
      notices.fail(answer.failure);
    } else if (!answer.value.isClosed) question.value = { ...asked, state: 'still-open' };
    else await again(asked.app, asked.request);
  }

  async function again(app: AppView, request: Request): Promise<void> {
    dismiss();
    await open(app, request);
  }

  async function createLauncher(profile: string, name: string): Promise<void> {
    const asked = question.value;
    if (asked?.kind !== 'launcher') return;
    dismiss();
    const words = name.trim() === '' ? {} : { name: name.trim() };
    const answer = await call('launcher.create', { app: asked.app.id, profile, ...words });
    if (answer.ok) notices.tell(i18n.global.t('apps.launcherMade', { name: answer.value.name }));
    else notices.fail(answer.failure);
  }

  return { question, starting, dismiss, open, again, closeAndReopen, createLauncher };
});
