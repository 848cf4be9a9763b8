/** What to say in Chinese when an isolated network cannot be made or kept. */
import type { Sentence } from '../sentences.ts';
import type { isolation as english } from '../sentences/isolation.ts';

export const isolation: Record<keyof typeof english, Sentence> = {
  'userns-forbidden': {
    what: '无法在不输入密码的情况下建立隔离网络',
    why: '此系统不允许普通用户创建用户命名空间',
    todo: '请打开此处指出的开关，或允许使用辅助程序（--isolation helper）',
  },
  'namespace-forbidden': {
    what: '无法创建隔离网络',
    why: '内核拒绝了网络或挂载命名空间',
    todo: '在容器中请允许 CAP_SYS_ADMIN 和 CAP_NET_ADMIN；参见 `culvert doctor`',
  },
  'tool-missing': {
    what: '缺少 Culvert 需要的系统程序',
    why: '隔离网络由 `ip`（iproute2）和 `nft`（nftables）建立',
    todo: '请用软件包管理器安装 iproute2 和 nftables',
  },
  'nft-failed': {
    what: '无法加载隔离网络的规则',
    why: 'nft 拒绝了这些规则',
    todo: '所需的内核功能请参见 `culvert doctor`',
  },
  'ip-failed': {
    what: '无法建立隔离网络的链路',
    why: 'ip 拒绝了其中一步',
    todo: '所需的内核功能请参见 `culvert doctor`',
  },
  'sysctl-failed': {
    what: '无法锁定隔离网络',
    why: '某个内核设置没有保持写入的值',
    todo: '在容器中请让 /proc/sys/net 可写；参见 `culvert doctor`',
  },
  'lane-check-failed': {
    what: '隔离网络与预期不符',
    why: '启动前的检查发现了意料之外的接口',
    todo: '没有启动任何程序；请连同此处显示的详情一起报告',
  },
  'lane-quota': {
    what: '没有再启动应用',
    why: '同时存在的隔离网络数量有限',
    todo: '请停止不再需要的应用（`culvert ps`、`culvert stop`）',
  },
  'descriptor-failed': {
    what: '无法移交隔离网络的套接字',
    why: '系统拒绝了一个描述符',
    todo: '请提高打开文件数的上限（`ulimit -n`）后重试',
  },
  'helper-start-failed': {
    what: '建立隔离网络的辅助程序没有启动',
    why: '它在应答之前就结束了',
    todo: '请查看详情和 `culvert doctor`',
  },
  'helper-timeout': {
    what: '建立隔离网络的辅助程序没有应答',
    why: '等待时间已到',
    todo: '请重试；如果仍然如此，请参见 `culvert doctor`',
  },
  'helper-lost': {
    what: '建立隔离网络的辅助程序已不在',
    why: '它被外部结束了',
    todo: '正在运行的应用会保留网络；要打开新的应用，请重新启动 Culvert',
  },
  'helper-refused': {
    what: '拒绝了应答的辅助程序',
    why: '它没有以应有的用户身份运行',
    todo: '请停止所有正在运行的 Culvert，然后重新启动',
  },
  'identity-refused': {
    what: '辅助程序拒绝工作',
    why: '它只为请求它的普通用户服务',
    todo: '请以要运行应用的用户身份启动 Culvert',
  },
  'nested-lane': {
    what: 'Culvert 不能在自己的隔离网络中运行',
    why: '此终端已经在隔离网络中；这里启动的一切都会经过它的代理',
    todo: '请直接运行该命令，或在外面打开终端',
  },
};
