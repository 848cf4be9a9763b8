/** What became of the parts of a profile of Proxifier. */
import type { Templates } from './template.ts';

export const proxifier = {
  'proxifier.unknown-element': 'an unknown element',
  'proxifier.named-chain': 'chain {name}',
  'proxifier.unnamed-rule': 'rule without a name',
  'proxifier.applications-of': '{what}, application',
  'proxifier.target-in': '{what}, target {item}',
  'proxifier.port-in': '{what}, port {item}',
  'proxifier.options': 'settings of Proxifier itself; names always go to the proxy here',
  'proxifier.not-proxy': 'it is not a proxy',
  'proxifier.not-chain': 'it is not a chain',
  'proxifier.other-proxy-type': 'the type is not SOCKS4, SOCKS5, HTTP or HTTPS',
  'proxifier.same-proxy-id': 'another proxy has the same id',
  'proxifier.same-entry-id': 'another entry has the same id',
  'proxifier.encrypted':
    'Proxifier has encrypted its password, which only Proxifier can read; enter it again',
  'proxifier.chain-empty': 'it has no proxy that was taken',
  'proxifier.chain-shorter': 'one of its proxies could not be taken, and a shorter chain is another chain',
  'proxifier.chain-long': 'more than {most} servers in one chain',
  'proxifier.balancing': 'load balancing becomes round-robin, one proxy a connection',
  'proxifier.redundancy': 'redundancy becomes failover to the second proxy, and never to no proxy',
  'proxifier.failover-step': 'failover has one step: of its {of} proxies the first two are used',
  'proxifier.other-chain-type': 'this type of chain is not known',
  'proxifier.windows-programs': 'programs of Windows are taken by their names without “.exe”',
  'proxifier.every-program': 'a pattern for every program',
  'proxifier.list-lost': 'a list of it has nothing left that a rule could name',
  'proxifier.other-action': 'its action is not Direct, Block, Proxy or Chain',
  'proxifier.action-chain-lost': 'its chain was not taken',
} as const satisfies Templates;
