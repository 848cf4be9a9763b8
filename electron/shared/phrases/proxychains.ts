/** What became of the lines of a proxychains.conf. */
import type { Templates } from './template.ts';

export const proxychains = {
  'proxychains.kind-of-proxy': 'a {kind} proxy',
  'proxychains.unread-proxy': 'a line of [ProxyList]',
  'proxychains.unknown-option': 'an unknown line',
  'proxychains.misplaced-option': 'it stands behind [ProxyList], where proxychains reads proxies only',
  'proxychains.raw-type': 'raw is no proxy protocol; dnat can change destinations',
  'proxychains.other-list-type': 'the type is not socks4, socks5, http or raw',
  'proxychains.hash-comment': 'what follows the “#” is taken as a comment',
  'proxychains.socks4-password': 'SOCKS4 has no password; it is left out',
  'proxychains.list-form': 'it is written as: type host port [user password]',
  'proxychains.no-daemon': 'no daemon is needed: the lane answers for names itself',
  'proxychains.own-subnet': 'stand-ins for names come from 198.18.0.0/15 here, which no app needs',
  'proxychains.quiet-mode': 'Culvert prints nothing into the output of an app',
  'proxychains.misplaced-proxy': 'proxies stand behind the line [ProxyList]',
  'proxychains.unknown-to-proxychains': 'proxychains does not know such an option either',
  'proxychains.length-form': 'it is written as chain_len = 2',
  'proxychains.time-missing': 'milliseconds are missing',
  'proxychains.loopback-ports':
    'an app always reaches its own loopback; give ports of this computer’s under host access',
  'proxychains.host-access': 'host access: the app reaches port {port} of this computer’s loopback',
  'proxychains.loopback-most': 'more than {most} ports of the loopback',
  'proxychains.localnet-form': 'it is written as address[:port]/mask',
  'proxychains.not-range-mask': 'the mask is not one for a range of addresses',
  'proxychains.original-destination': 'the original destination: {why}',
  'proxychains.new-destination': 'the new destination: {why}',
  'proxychains.no-usable-proxy': 'there is no proxy in [ProxyList] that can be used',
  'proxychains.no-owner': 'there is no profile to belong to',
  'proxychains.chain-length': 'a {mode} chain has no length; all its servers are used',
  'proxychains.chain-most': 'a chain has at most {most} servers here',
  'proxychains.only-servers': 'there are only {of} servers; all are used',
  'proxychains.host-names':
    'without proxy_dns proxychains asks this computer’s resolver for names; here they always go to the proxy',
  'proxychains.fewer-servers': 'the chain has fewer servers than the file: {lost} could not be taken',
  'proxychains.all-local': 'a localnet covers all addresses: what it names goes out without the proxy',
} as const satisfies Templates;
