/** The particulars of an app that was not opened, or is not where its user expects it. */
import type { Templates } from './template.ts';

export const apps = {
  'app.runs-outside': '{app} already runs outside of any isolated network, as process {pid}',
  'app.runs-on-lane': '{app} already runs in another isolated network, as process {pid}',
  'app.program-runs-outside':
    '{app}’s program already runs outside of any isolated network, as process {pid}',
  'app.program-runs-on-lane': '{app}’s program already runs in another isolated network, as process {pid}',
  'app.handed-over': '{app} ended after {ms} ms as apps do that hand over; what it opened may be outside',
  'app.ended-by-signal': 'it ended by signal {signal}',
  'app.ended-with-status': 'it ended with status {status}',
  'app.see-log': '{ended}; see {path}',
  'app.no-directory': 'its directory {path} is not there',
  'app.no-action': '{app} has no action “{action}”',
  'app.no-separate-profiles': '{app} has no separate profiles',
  'app.launcher-of-launcher': 'a launcher of a launcher',
} as const satisfies Templates;
