/** What to say in Chinese when an app or a command cannot be started. */
import type { Sentence } from '../sentences.ts';
import type { apps as english } from '../sentences/apps.ts';

export const apps: Record<keyof typeof english, Sentence> = {
  'launch-failed': {
    what: '应用没有启动',
    why: '启动之前的一步失败了，因此没有启动任何程序',
    todo: '请查看详情和 `culvert doctor`',
  },
  'command-not-found': {
    what: '找不到该命令',
    why: '没有这个文件，或者它不在 PATH 中',
    todo: '请检查拼写，或给出完整路径',
  },
  'command-not-executable': {
    what: '无法运行该命令',
    why: '该文件不可执行',
    todo: '请使其可执行（`chmod +x`），或指定打开它的程序',
  },
  'app-unknown': {
    what: '没有这个应用',
    why: '没有桌面条目或程序使用这个名称',
    todo: '参见 `culvert app ls`，或给出完整路径',
  },
  'entry-invalid': {
    what: '无法启动该应用',
    why: '它的桌面条目不符合要求',
    todo: '请更正该条目，或用 `culvert run` 直接启动程序',
  },
  'app-refused': {
    what: '无法把它作为应用打开',
    why: '它不是桌面条目、程序、AppImage 或脚本',
    todo: '请选择打开它的程序',
  },
  'app-untrusted': {
    what: '没有打开该应用',
    why: '它的桌面条目在应用程序文件夹之外，任何人都可能把它放在那里',
    todo: '请查看它要启动的命令，并确认您信任它',
  },
  'app-ambiguous': {
    what: '没有打开该应用',
    why: '有多个应用使用这个名称',
    todo: '请用标识指定其中一个',
  },
  'app-running-outside': {
    what: '该应用已经在隔离网络之外打开',
    why: '它会转交给正在运行的、未经代理的那一个',
    todo: '请关闭后重新打开，或用单独的浏览器配置打开',
  },
  'app-failed': {
    what: '应用启动后立即退出',
    why: '它自身遇到了错误',
    todo: '查看它的输出，并确认它在没有 Culvert 时能否打开',
  },
  'terminal-missing': {
    what: '没有打开该应用',
    why: '它需要终端，而没有找到会留在隔离网络中的终端',
    todo: '请安装 xterm、foot 或 konsole 之类的终端，或在终端中使用 `culvert run`',
  },
  'launcher-unknown': {
    what: '没有这个启动器',
    why: 'Culvert 创建的启动器中没有这个名称',
    todo: '参见 `culvert launcher ls`',
  },
  'launcher-impossible': {
    what: '无法把 Culvert 放进菜单或会话启动项',
    why: '用来启动它的程序不会一直留在现在的位置',
    todo: '请安装 Culvert 的软件包',
  },
};
