/** What is wrong with a query, in Chinese. */
import type { queries as english } from '../phrases/queries.ts';
import type { Translation } from '../phrases/template.ts';

export const queries: Translation<typeof english> = {
  'query.quote': '引号没有结束',
  'query.hyphen': '“-”后面没有内容',
  'query.key': '“{key}”不是条件名；可用的有 {keys}',
  'query.quotes': '引号之间没有内容',
  'query.value': '“{key}:”后面缺少值',
  'query.protocol': '“{value}”不是协议；可用的有 {known}',
  'query.state': '“{value}”不是状态；可用的有 {known}',
  'query.dot': '点后面缺少名称',
  'query.address': '“{value}”不是地址，不是 10.0.0.0/8 这样的范围，也不含 *',
  'query.pid': '“{value}”不是进程号，也不是进程号的范围',
  'query.port': '“{value}”不是端口，也不是端口的范围',
  'query.size': '无法理解“{value}”；大小要用比较的形式，例如 >1MB、<=10kB 或 >1.5GiB',
  'query.age': '无法理解“{value}”；时长要用比较的形式，例如 >5m、<30s 或 >1h30m',
  'query.at': '第 {at} 个字符：{why}',
};
