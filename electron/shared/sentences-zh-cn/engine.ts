/** What to say in Chinese when the parts of Culvert do not find or understand each other. */
import type { Sentence } from '../sentences.ts';
import type { engine as english } from '../sentences/engine.ts';

export const engine: Record<keyof typeof english, Sentence> = {
  internal: {
    what: 'Culvert 内部出现了问题',
    why: '这是 Culvert 的缺陷，与您的设置无关',
    todo: '请连同此处显示的详情一起报告',
  },
  'bad-message': {
    what: 'Culvert 各部分之间的一条消息无法理解',
    why: '双方使用的协议不同',
    todo: '请停止所有正在运行的 Culvert，然后重新启动',
  },
  'version-mismatch': {
    what: 'Culvert 的各部分互不匹配',
    why: '引擎与辅助程序的版本不同，可能是在运行期间进行了升级',
    todo: '请停止所有正在运行的 Culvert，然后重新启动',
  },
  'lane-unknown': {
    what: '没有这个正在运行的应用',
    why: '它已经结束，或者编号不对',
    todo: '参见 `culvert ps`',
  },
  'runtime-dir-unsafe': {
    what: '无法使用 Culvert 的套接字目录',
    why: '它不只属于您一人',
    todo: '请删除它，或把 XDG_RUNTIME_DIR 设为您自己的、权限为 0700 的目录',
  },
  'native-missing': {
    what: '缺少 Culvert 的本机部分',
    why: 'libculvert.so 或 culvert-launch 没有构建，或与此计算机不符',
    todo: '请用 `build/setup.sh run` 构建，或重新安装软件包',
  },
  'window-unavailable': {
    what: '窗口未打开',
    why: '它需要显示器、非 root 用户以及 Electron',
    todo: '请查看详细信息；所有操作也可以在命令行中完成（`culvert help`）',
  },
  'engine-unreachable': {
    what: '找不到正在运行的 Culvert',
    why: '您的引擎没有一个应答',
    todo: '请用 `culvert run` 启动一个应用',
  },
  'engine-limit': {
    what: '拒绝了一个连接',
    why: '已达到打开连接数的上限',
    todo: '请关闭一些，或提高打开文件数的上限（`ulimit -n`）',
  },
  'peer-refused': {
    what: '引擎拒绝了连接',
    why: '只有您本人从隔离网络之外才能控制它',
    todo: '请以启动应用的用户身份、在应用之外运行该命令',
  },
  'history-unwritable': {
    what: '过去的流量没有被保存',
    why: '无法写入其文件',
    todo: '请腾出磁盘空间，或检查该文件夹属于谁；内存中的记录不受影响',
  },
  'history-unreadable': {
    what: '无法显示已保存的流量',
    why: '无法读取其文件',
    todo: '请检查这些文件属于谁，或清除历史记录',
  },
};
