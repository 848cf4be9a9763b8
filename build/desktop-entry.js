/** The entry of Culvert in the desktop's menu: one value for all packages (Desktop Entry Specification). */
import { identity } from './identity.js';

const { appId, installDir, productName, windowProgram } = identity;

/** It takes no links and no files: nothing on the desktop opens with Culvert unless somebody says so. */
export const exec = `${installDir}/${windowProgram} %U`;

/** All but Exec, which electron-builder wants to write itself. */
export const entry = {
  Name: productName,
  GenericName: 'Proxy for Apps',
  'GenericName[zh_CN]': '应用代理',
  Comment: 'Start any app on its own isolated network whose only way out is the proxy you chose',
  'Comment[zh_CN]': '在独立的隔离网络中启动任何应用，唯一出口是你选择的代理',
  Icon: appId,
  Terminal: 'false',
  Type: 'Application',
  StartupNotify: 'true',
  StartupWMClass: appId,
  Keywords: 'proxy;SOCKS;isolation;network;proxychains;',
  'Keywords[zh_CN]': '代理;隔离;网络;',
};
export const categories = 'Network;';

/** The whole file. */
export function entryText() {
  const lines = Object.entries({
    ...entry,
    Exec: exec,
    TryExec: exec.replace(/ .*/, ''),
    Categories: categories,
  });
  return `[Desktop Entry]\n${lines.map(([key, value]) => `${key}=${value}\n`).join('')}`;
}
