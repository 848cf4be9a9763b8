/**
 * Looks at a page from the inside: what of it is cut off, what cannot be reached, where Tab has to lead. Each function
 * but `enlarge` runs in the page, so it stands alone; what it answers are places that are wrong.
 */
import type { OpenWindow } from './desktop.ts';

/** Makes every word that is seen 40 % longer, as another language may. */
export function lengthen(): void {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.nodeValue?.trim() ?? '';
    const parent = node.parentElement;
    // Figures and commands are the same in every language.
    if (
      text.length < 2 ||
      !/\p{L}{2}/u.test(text) ||
      (parent?.closest('code, kbd, .text-selectable') ?? null) !== null
    )
      continue;
    const more = Math.ceil(text.length * 0.4);
    node.nodeValue = `${text} ${'ñandú '.repeat(more).slice(0, more).trim()}`;
  }
}

/** Texts that are partly not there: outside of the window, or of something that hides what is too wide. */
export function cutOff(): string[] {
  const found: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (parent === null || (node.nodeValue ?? '').trim() === '' || !parent.checkVisibility()) continue;
    if (parent.closest('.heard-only, script, style, title, option') !== null) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const { left, right, width } = range.getBoundingClientRect();
    if (width === 0) continue;
    let hides: string | undefined;
    let isLetGo = false;
    for (let at: Element | null = parent; at !== null && !isLetGo; at = at.parentElement) {
      const { overflowX, textOverflow } = getComputedStyle(at);
      const box = at.getBoundingClientRect();
      // Dots say that there is more, and a scroll bar leads to it.
      if (textOverflow === 'ellipsis' || overflowX === 'auto' || overflowX === 'scroll') isLetGo = true;
      else if (overflowX !== 'visible' && (right > box.right + 1 || left < box.left - 1))
        hides ??= at.className;
    }
    if (isLetGo) continue;
    if (hides !== undefined || right > innerWidth + 1 || left < -1)
      found.push(
        `“${(node.nodeValue ?? '').trim()}” in ${parent.className || parent.tagName}, by ${hides ?? 'the window'}`,
      );
  }
  const main = document.querySelector('main');
  if (main !== null && main.scrollWidth > main.clientWidth) found.push('the screen itself');
  return found;
}

/** Controls that no scrolling up and down brings into the window whole, and what wants scrolling sideways. */
export function hardToReach(): string[] {
  const found: string[] = [];
  const main = document.querySelector('main');
  if (main !== null && main.scrollWidth > main.clientWidth) found.push('the screen is wider than the window');
  const controls = document.querySelectorAll<HTMLElement>(
    'a[href], button:not(:disabled), input, select, textarea, [tabindex="0"]',
  );
  for (const control of controls) {
    if (!control.checkVisibility() || control.closest('.skip, .heard-only, [aria-hidden="true"]') !== null)
      continue;
    control.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    const { left, right, top, bottom, width, height } = control.getBoundingClientRect();
    // Rows of a table may be wider than what scrolls them (WCAG 2.2, 1.4.10).
    const isWide = (right > innerWidth + 1 || left < -1) && control.role !== 'row';
    const isAway = bottom - Math.min(height, 24) > innerHeight + 1 || top + Math.min(height, 24) < -1;
    if (width > 0 && (isWide || isAway)) {
      const place = [left, top, right, bottom].map(Math.round).join(' ');
      found.push(`${control.outerHTML.slice(0, 120)} at ${place}`);
    }
  }
  return found;
}

/** Marks everything that Tab has to lead to, by a name; of what is one stop for Tab only the whole. */
export function tabStops(): string[] {
  const groups =
    '[role="radiogroup"], [role="tablist"], [role="toolbar"], [role="grid"], [role="listbox"], [role="tree"]';
  const names = new Set<string>();
  for (const element of document.querySelectorAll<HTMLElement>('*')) {
    const isOff = element.matches(':disabled, [aria-hidden="true"] *, [inert] *');
    if (element.tabIndex < 0 || isOff || !element.checkVisibility()) continue;
    const isRadio = element instanceof HTMLInputElement && element.type === 'radio';
    const stop =
      element.closest<HTMLElement>(groups) ?? (isRadio ? element.closest('fieldset') : null) ?? element;
    stop.dataset['stop'] ??= `${names.size} ${stop.outerHTML.slice(0, 100)}`;
    names.add(stop.dataset['stop']);
  }
  return [...names];
}

/** Shows the page so many times as large, as Ctrl++ does. */
export async function enlarge(window: OpenWindow, factor: number): Promise<void> {
  const before = await window.page.evaluate(() => innerWidth);
  await window.inMain(({ BrowserWindow }, wanted) => {
    BrowserWindow.getAllWindows()[0]?.webContents.setZoomFactor(wanted);
  }, factor);
  await window.page.waitForFunction((width) => innerWidth !== width, before);
}
