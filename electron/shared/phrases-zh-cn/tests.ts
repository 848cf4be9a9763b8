/** What the staged test of a profile finds, in Chinese. */
import type { tests as english } from '../phrases/tests.ts';
import type { Translation } from '../phrases/template.ts';

export const tests: Translation<typeof english> = {
  'test.takes': '{server} 接受连接',
  'test.takes-through': '{server} 接受连接（经由它之前的服务器）',
  'test.each': '{all} 台服务器中有 {there} 台接受连接；每个连接需要 {needed} 台',
  'test.each-without':
    '{all} 台服务器中有 {there} 台接受连接；每个连接需要 {needed} 台；不接受的有 {servers}',
  'test.and-more': '{servers}，另有 {more} 台',
  'test.sign-in-accepted': '用户名和密码已被接受',
  'test.sign-in-none': '服务器不要求登录',
  'test.page': '{where} 应答，状态码 {status}',
  'test.page-late': '{where} 在 {seconds} 秒内没有应答',
  'test.exit': '对方看到的是 {address}',
  'test.exit-unsaid': '该网页没有说明它看到的地址',
  'test.exit-same': '对方看到的是 {address}，即此计算机自己的地址',
  'test.exit-other': '对方看到的是 {address}，而不是 {own}',
  'test.exit-unknown': '对方看到的是 {address}；未能查明此计算机自己的地址：{why}',
  'test.udp': '{where} 通过 UDP 应答（{code}）',
  'test.udp-none': '不提供：UDP 将被阻断',
  'test.udp-none-because': '不提供：UDP 将被阻断（{why}）',
  'test.udp-without-answer': '提供 UDP，但是{why}',
  'test.udp-late': '{seconds} 秒内没有收到 {where} 返回的数据报',
  'test.dns': '{where} 通过 TCP 应答（{code}）',
  'test.dns-code': '{where} 应答 {code}',
  'test.dns-refused': '不能连接端口 {port}；域名仍会原样交给代理',
  'test.dns-refused-because': '不能连接端口 {port}（{why}）；域名仍会原样交给代理',
  'test.reached': '已连接到 {where}',
  'test.ipv6-none': '不提供',
  'test.ipv6-none-because': '不提供（{why}）',
  'test.ipv6-kind': '这种代理不提供：IPv6 将被阻断',
  'test.ipv6-untried': '没有可供尝试的 IPv6 地址：{where} 没有，或无法查询',
  'test.failed': '{failure}',
};
