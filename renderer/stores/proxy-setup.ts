/**
 * A proxy that somebody is about to use: what was typed or pasted as it is understood, and the profile that
 * is made of it.
 *
 * Must not: dial a proxy of which somebody may not have typed the whole.
 */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { Failure } from '#shared/failure.ts';
import type { ProfileHead } from '#shared/model.ts';
import type { ProxyView } from '#shared/profile-protocol.ts';
import { call } from '../bridge.ts';
import { useProxyTest } from './proxy-test.ts';

export const useProxySetup = defineStore('proxy-setup', () => {
  const test = useProxyTest();
  const text = ref('');
  const name = ref('');
  const password = ref('');
  const proxies = shallowRef<readonly ProxyView[]>([]);
  /** Why the text is no proxy, as far as it is typed. */
  const problem = shallowRef<Failure>();
  const failure = shallowRef<Failure>();
  const isSaving = ref(false);
  let turn = 0;

  /** The one proxy that wants a password and has none yet. */
  const lacking = computed(() => lackingIn(proxies.value));
  const links = computed(() =>
    lacking.value === undefined || password.value === ''
      ? text.value
      : linkWith(lacking.value, password.value),
  );
  const isRead = computed(() => proxies.value.length > 0);

  /** From the beginning. */
  function begin(): void {
    test.end();
    text.value = name.value = password.value = '';
    proxies.value = [];
    problem.value = failure.value = undefined;
  }

  /** What was typed so far; nothing is dialled yet. */
  async function read(typed: string): Promise<void> {
    text.value = typed;
    password.value = '';
    failure.value = undefined;
    test.end();
    turn += 1;
    const mine = turn;
    if (typed.trim() === '') {
      proxies.value = [];
      problem.value = undefined;
      return;
    }
    const answer = await call('proxy.read', { text: typed });
    if (mine !== turn) return;
    proxies.value = answer.ok ? answer.value : [];
    problem.value = answer.ok ? undefined : answer.failure;
  }

  /** A whole link: it is tested at once, unless a password is still to come. */
  async function take(link: string): Promise<void> {
    await read(link.trim());
    if (isRead.value && lacking.value === undefined) await startTest();
  }

  /** The text of the clipboard, as the user has just asked for it. */
  async function paste(): Promise<void> {
    const answer = await call('text.paste', {});
    if (!answer.ok) problem.value = answer.failure;
    else await take(answer.value.text.slice(0, mostRead));
  }

  async function startTest(): Promise<void> {
    await test.start(links.value);
  }

  /** Makes the profile; undefined where that failed, and then `failure` says why. */
  async function save(): Promise<ProfileHead | undefined> {
    if (isSaving.value) return undefined;
    test.end();
    isSaving.value = true;
    const words = name.value.trim();
    const named = words === '' ? {} : { name: words };
    const answer = await call('profile.add', { links: links.value, ...named });
    isSaving.value = false;
    failure.value = answer.ok ? undefined : answer.failure;
    return answer.ok ? answer.value : undefined;
  }

  return {
    ...{ text, name, password, proxies, problem, failure, isSaving, lacking, isRead },
    ...{ begin, read, take, paste, startTest, save },
  };
});

/** As many characters as are read at once. */
const mostRead = 4096;

function lackingIn([only, ...more]: readonly ProxyView[]): ProxyView | undefined {
  if (only?.user === undefined || more.length > 0 || only.hasPassword) return undefined;
  return only.kind === 'socks4' || only.kind === 'socks4a' ? undefined : only;
}

function linkWith({ kind, host, port, user = '', name = '' }: ProxyView, password: string): string {
  const signIn = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const place = host.includes(':') ? `[${host}]` : host;
  return `${kind}://${signIn}@${place}:${port}#${encodeURIComponent(name)}`;
}
