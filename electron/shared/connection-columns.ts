/** What the table of connections can show and be grouped by: for the window, and for main, which keeps what was chosen. */
import * as v from 'valibot';

/** In the order in which they stand where nobody has moved them. */
export const connectionColumns = [
  'state',
  'app',
  'process',
  'host',
  'port',
  'proto',
  'profile',
  'rule',
  'downRate',
  'upRate',
  'down',
  'up',
  'age',
  'error',
] as const;
export type ConnectionColumn = (typeof connectionColumns)[number];

export const connectionGroups = ['none', 'app', 'host', 'profile'] as const;
export type ConnectionGroup = (typeof connectionGroups)[number];

const column = v.picklist(connectionColumns);

/** How the table was left. A column that is not named stands where it would without all this. */
export const connectionTable = v.strictObject({
  columns: v.pipe(
    v.array(
      v.strictObject({
        name: column,
        /** CSS pixels. */
        width: v.pipe(v.number(), v.minValue(32), v.maxValue(1000)),
        isHidden: v.boolean(),
      }),
    ),
    v.maxLength(connectionColumns.length),
  ),
  sort: v.strictObject({ column, isDescending: v.boolean() }),
  group: v.picklist(connectionGroups),
});
export type ConnectionTable = v.InferOutput<typeof connectionTable>;

/** The newest first. */
export const usualTable: ConnectionTable = {
  columns: [],
  sort: { column: 'age', isDescending: false },
  group: 'none',
};
