/** Letting something go over the screen of apps, as a menu or a file manager does. */
import type { Page } from 'playwright-core';

/** Lets go of an address over one of the two targets. */
export async function dropOn(page: Page, address: string, purpose: 'open' | 'add'): Promise<void> {
  await page.evaluate(
    ({ uri, target }) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.setData('text/uri-list', `${uri}\r\n`);
      const init = { bubbles: true, cancelable: true, dataTransfer };
      document.querySelector('main')?.dispatchEvent(new DragEvent('dragenter', init));
      return new Promise<void>((resolve) => {
        requestAnimationFrame(() => {
          const place = document.querySelector(`[data-purpose="${target}"]`);
          place?.dispatchEvent(new DragEvent('dragover', init));
          requestAnimationFrame(() => {
            place?.dispatchEvent(new DragEvent('drop', init));
            resolve();
          });
        });
      });
    },
    { uri: address, target: purpose },
  );
}
