/** What to say in Chinese when one connection or look-up was refused or failed, or was seen where it may not be. */
import type { Sentence } from '../sentences.ts';
import type { connections as english } from '../sentences/connections.ts';

export const connections: Record<keyof typeof english, Sentence> = {
  'host-name-invalid': {
    what: '拒绝了一个连接',
    why: '它的主机名含有不能发送给代理的字符，或者过长',
    todo: '请检查应用中的名称',
  },
  'destination-blocked': {
    what: '拒绝了一个连接',
    why: '规则或配置的设置阻断了它的目的地',
    todo: '如果应当允许，请更改配置',
  },
  'destination-unreachable': {
    what: '一个连接失败了',
    why: '从此计算机无法到达它的目的地',
    todo: '请检查目的地是否正确、此计算机是否有网络',
  },
  'fake-address-unmapped': {
    what: '拒绝了一个连接',
    why: '应用使用的地址所代表的名称已不再为人所知',
    todo: '请让应用重新查询该名称（重新启动它）',
  },
  'dns-failed': {
    what: '无法查询一个名称',
    why: '代理后面的解析器没有应答',
    todo: '请使用 --dns fake，或指定其他解析器',
  },
  'blocked-by-rule': {
    what: '拒绝了一个连接',
    why: '一条规则阻断了它',
    todo: '如果应当允许，请参见 `culvert rule ls`',
  },
  'blocked-by-profile': {
    what: '拒绝了一个连接',
    why: '该配置阻断没有规则允许的一切',
    todo: '如果应当允许，请选择其他配置（`culvert switch`）',
  },
  'host-port-taken': {
    what: '没有向应用开放此计算机的一个端口',
    why: '应用自己正在监听同一个端口',
    todo: '请更改其中一个的端口',
  },
  'probe-unreachable': {
    what: '无法进行检查',
    why: '无法连接它要询问的服务器',
    todo: '请稍后重试，或用 --url 指定其他服务器；这不说明是否有泄漏',
  },
  'leak-found': {
    what: '发现了泄漏',
    why: '有数据没有按配置的路径到达外部',
    todo: '请停止该应用，并连同此处显示的详情一起报告',
  },
};
