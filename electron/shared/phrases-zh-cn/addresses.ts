/** Why a text is no address, range, port or name of a host, in Chinese. */
import type { addresses as english } from '../phrases/addresses.ts';
import type { Translation } from '../phrases/template.ts';

export const addresses: Translation<typeof english> = {
  'address.not-address-or-range': '不是地址或地址范围',
  'address.prefix-length': '“/”后面不是不超过 {most} 的前缀长度',
  'address.not-address': '不是地址',
  'address.not-port': '端口不是 1 到 65535 之间的数字',
  'address.not-ports': '不是端口或端口范围',
  'address.not-span': '不是地址范围',
  'address.span-order': '范围的结束在开始之前',
  'address.question-mark': '代表一个字符的“?”没有对应的写法',
  'address.empty': '为空',
  'address.everything': '是匹配一切的模式',
  'address.not-host': '不是主机名',
  'address.not-mask': '掩码不是一个范围',
  'address.not-entry': '不能用于规则：{defect}',
};
