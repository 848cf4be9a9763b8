/** What became of the parts of a profile of Proxifier, in Chinese. */
import type { proxifier as english } from '../phrases/proxifier.ts';
import type { Translation } from '../phrases/template.ts';

export const proxifier: Translation<typeof english> = {
  'proxifier.unknown-element': '一个未知的元素',
  'proxifier.named-chain': '链 {name}',
  'proxifier.unnamed-rule': '没有名称的规则',
  'proxifier.applications-of': '{what}，应用',
  'proxifier.target-in': '{what}，目标 {item}',
  'proxifier.port-in': '{what}，端口 {item}',
  'proxifier.options': 'Proxifier 自身的设置；在这里域名始终交给代理',
  'proxifier.not-proxy': '不是代理',
  'proxifier.not-chain': '不是链',
  'proxifier.other-proxy-type': '类型不是 SOCKS4、SOCKS5、HTTP 或 HTTPS',
  'proxifier.same-proxy-id': '另一个代理使用相同的标识',
  'proxifier.same-entry-id': '另一项使用相同的标识',
  'proxifier.encrypted': 'Proxifier 加密了它的密码，只有 Proxifier 能读取；请重新输入',
  'proxifier.chain-empty': '它没有已导入的代理',
  'proxifier.chain-shorter': '它的一个代理无法导入，而较短的链就不是同一条链',
  'proxifier.chain-long': '一条链中的服务器超过 {most} 个',
  'proxifier.balancing': '负载均衡改为轮流选取，每个连接一个代理',
  'proxifier.redundancy': '冗余改为由第二个代理接替，绝不会没有代理',
  'proxifier.failover-step': '接替只有一级：它的 {of} 个代理中使用前两个',
  'proxifier.other-chain-type': '未知的链类型',
  'proxifier.windows-programs': 'Windows 程序按不带“.exe”的名称导入',
  'proxifier.every-program': '是匹配所有程序的模式',
  'proxifier.list-lost': '它的一个列表中没有剩下规则可以指定的内容',
  'proxifier.other-action': '它的动作不是 Direct、Block、Proxy 或 Chain',
  'proxifier.action-chain-lost': '它的链没有导入',
};
