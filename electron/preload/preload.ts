/**
 * Runs in the window before its page, sandboxed, and gives the page one function for each call and each event of
 * shared/contract.ts, and the paths of files that were dropped on it.
 *
 * Must not: hand on a channel name, an event object of Electron's, or any other function of Electron.
 */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { callChannel, eventChannel, windowCallNames, windowEventNames } from '#shared/contract.ts';

const calls = windowCallNames.map((name) => {
  const channel = callChannel(name);
  return [name, (params: unknown): Promise<unknown> => ipcRenderer.invoke(channel, params)] as const;
});

const events = windowEventNames.map((name) => {
  const channel = eventChannel(name);
  const listen = (listener: (value: unknown) => void): (() => void) => {
    const receive = (_event: unknown, value: unknown): void => {
      listener(value);
    };
    ipcRenderer.on(channel, receive);
    return () => {
      ipcRenderer.off(channel, receive);
    };
  };
  return [name, listen] as const;
});

contextBridge.exposeInMainWorld('culvert', {
  calls: Object.fromEntries(calls),
  events: Object.fromEntries(events),
  files: { pathOf: (file: unknown): string => webUtils.getPathForFile(file as File) },
});
