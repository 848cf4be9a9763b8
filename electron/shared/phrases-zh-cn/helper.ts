/** Why an isolated network is made the way it is, and how a helper or an engine is not there, in Chinese. */
import type { helpers as english } from '../phrases/helper.ts';
import type { Translation } from '../phrases/template.ts';

export const helpers: Translation<typeof english> = {
  'helper.rootless': '无需密码：内核允许您建立自己的隔离网络',
  'helper.by-root': 'Culvert 由 root 启动',
  'helper.polkit': '已通过 polkit 请求管理员许可',
  'helper.sudo': '已通过 sudo 请求管理员许可',
  'helper.sudo-without-password': 'sudo 允许此操作，无需密码',
  'helper.desktop': '已通过桌面请求管理员许可',
  'helper.other-user': '用户是 {user}，而不是 {expected}',
  'helper.late': '{seconds} 秒',
  'helper.given-up': '已放弃',
  'engine.no-answer': '没有应答',
  'engine.ended': '它以 {words} 结束',
};
