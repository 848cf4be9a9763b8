/** What to say in Chinese when the right to make isolated networks was not got. */
import type { Sentence } from '../sentences.ts';
import type { permission as english } from '../sentences/permission.ts';

export const permission: Record<keyof typeof english, Sentence> = {
  'pkexec-dismissed': {
    what: '没有得到许可',
    why: '密码对话框被关闭',
    todo: '请重试，或使用无需密码的方式（--isolation rootless）',
  },
  'pkexec-refused': {
    what: '没有得到许可',
    why: '系统不允许此用户建立隔离网络，或者密码错误',
    todo: '请重试，或使用无需密码的方式（--isolation rootless）',
  },
  'pkexec-no-agent': {
    what: '无法请求许可',
    why: '此会话中没有运行身份验证代理',
    todo: '请启动一个（例如 polkit-gnome 或 lxpolkit），或在可以使用 sudo 的终端中运行 Culvert',
  },
  'pkexec-missing': {
    what: '无法请求许可',
    why: '没有安装 pkexec',
    todo: '请安装 pkexec（polkit），或在可以使用 sudo 的终端中运行 Culvert',
  },
  'no-new-privs': {
    what: '无法请求许可',
    why: '此进程以 NoNewPrivs 启动，pkexec 和 sudo 都不起作用',
    todo: '请从桌面或新的终端启动 Culvert，或使用无需密码的方式（--isolation rootless）',
  },
  'sudo-refused': {
    what: '没有得到许可',
    why: 'sudo 拒绝了',
    todo: '请用正确的密码重试，或使用无需密码的方式（--isolation rootless）',
  },
  'no-way-to-root': {
    what: '无法请求许可',
    why: '这里既不能使用 pkexec，也不能使用 sudo',
    todo: '请安装 pkexec 或 sudo，或使用无需密码的方式（--isolation rootless）',
  },
  'helper-untrusted': {
    what: '这一份 Culvert 不能以 root 身份运行',
    why: '它所在的位置可以被 root 以外的用户修改，AppImage 总是如此',
    todo: '请使用无需密码的方式（--isolation rootless），或安装 Culvert 的软件包',
  },
};
