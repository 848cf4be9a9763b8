/** What is wrong with a query. */
import type { Templates } from './template.ts';

export const queries = {
  'query.quote': 'a quote has no end',
  'query.hyphen': 'there is nothing behind the “-”',
  'query.key': '“{key}” is no key; they are {keys}',
  'query.quotes': 'there is nothing between the quotes',
  'query.value': 'a value is missing behind “{key}:”',
  'query.protocol': '“{value}” is no protocol; they are {known}',
  'query.state': '“{value}” is no state; they are {known}',
  'query.dot': 'a name is missing behind the dot',
  'query.address': '“{value}” is no address, no range such as 10.0.0.0/8 and nothing with a *',
  'query.pid': '“{value}” is neither a process id nor a range of them',
  'query.port': '“{value}” is neither a port nor a range of them',
  'query.size': '“{value}” is not understood; a size is compared, as in >1MB, <=10kB or >1.5GiB',
  'query.age': '“{value}” is not understood; an age is compared, as in >5m, <30s or >1h30m',
  'query.at': 'at character {at}: {why}',
} as const satisfies Templates;
