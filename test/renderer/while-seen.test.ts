// @vitest-environment happy-dom
/** What goes on only while the window is seen. */
import { mount } from '@vue/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defineComponent, h, ref } from 'vue';
import { useEvery, useWhileSeen } from '../../renderer/while-seen.ts';

const visibility = vi.spyOn(document, 'visibilityState', 'get');

function see(isSeen: boolean): void {
  visibility.mockReturnValue(isSeen ? 'visible' : 'hidden');
  document.dispatchEvent(new Event('visibilitychange'));
}

function place(setup: () => void) {
  return mount(defineComponent({ setup: () => (setup(), () => h('p')) }));
}

beforeEach(() => {
  vi.useFakeTimers();
  see(true);
});
afterEach(() => {
  vi.useRealTimers();
});

test('what is asked for again and again rests without a timer while the window is hidden, and is asked for at once when it is seen', () => {
  const pace = ref(1000);
  let works = 0;
  let beginAnew = (): void => undefined;
  const placed = place(() => {
    beginAnew = useEvery(
      () => pace.value,
      () => (works += 1),
    );
  });
  vi.advanceTimersByTime(2500);
  expect(works).toBe(3);
  const timers = vi.getTimerCount();
  see(false);
  pace.value = 500;
  beginAnew();
  expect(vi.getTimerCount()).toBe(timers - 1);
  vi.advanceTimersByTime(60_000);
  expect(works).toBe(3);
  see(true);
  expect(works).toBe(4);
  vi.advanceTimersByTime(1000);
  expect(works).toBe(6);
  placed.unmount();
  see(false);
  see(true);
  expect([works, vi.getTimerCount()]).toEqual([6, 0]);
});

test('it begins and ends by turns, once each', () => {
  const said: string[] = [];
  see(false);
  const placed = place(() => {
    useWhileSeen(
      () => said.push('begin'),
      () => said.push('end'),
    );
  });
  see(false);
  see(true);
  see(true);
  see(false);
  placed.unmount();
  expect(said).toEqual(['begin', 'end']);
});
