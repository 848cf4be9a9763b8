/** The particulars of an app that was not opened, or is not where its user expects it, in Chinese. */
import type { apps as english } from '../phrases/apps.ts';
import type { Translation } from '../phrases/template.ts';

export const apps: Translation<typeof english> = {
  'app.runs-outside': '{app} 已经在所有隔离网络之外运行，进程号 {pid}',
  'app.runs-on-lane': '{app} 已经在另一个隔离网络中运行，进程号 {pid}',
  'app.program-runs-outside': '{app} 的程序已经在所有隔离网络之外运行，进程号 {pid}',
  'app.program-runs-on-lane': '{app} 的程序已经在另一个隔离网络中运行，进程号 {pid}',
  'app.handed-over':
    '{app} 在 {ms} 毫秒后结束，就像把事情转交给别人的应用那样；它打开的内容可能在隔离网络之外',
  'app.ended-by-signal': '它因信号 {signal} 而结束',
  'app.ended-with-status': '它以状态 {status} 结束',
  'app.see-log': '{ended}；参见 {path}',
  'app.no-directory': '它的目录 {path} 不存在',
  'app.no-action': '{app} 没有操作“{action}”',
  'app.no-separate-profiles': '{app} 没有独立的用户配置',
  'app.launcher-of-launcher': '这是启动器的启动器',
};
