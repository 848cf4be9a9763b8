/** Where passwords are kept, and why one cannot be kept or read, in Chinese. */
import type { passwords as english } from '../phrases/passwords.ts';
import type { Translation } from '../phrases/template.ts';

export const passwords: Translation<typeof english> = {
  'password.no-keyring': '密钥环没有响应',
  'password.program-missing': '缺少与它通信的部分',
  'password.unread-answer': '无法理解它的回答',
  'password.too-slow': '它没有在 {seconds} 秒内回答',
  'password.program-ended': '与它通信的部分已退出',
  'password.in-memory': '保存到此进程结束为止：{why}',
  'password.was-open':
    '这台电脑上的其他人曾经能读取 {file}；现在只有您能读取：如果有人可能读过，请更改其中的密码',
  'password.keyring': '密钥环：{why}',
  'password.gone': '密钥环中已没有 {account} 的条目',
  'password.too-long': '密码超过 {most} 个字符',
  'password.notices': '{all}',
  'password.file-form': '{file}：内容不符合要求',
  'password.file-owner': '{file}：属于其他人',
  'password.file-mode': '{file}：其他人能读取它，且无法更改它的权限：{error}',
  'password.nowhere': '密码无处可存',
};
