/** What an app has written, as lines for people. */

/** Control sequences of terminals (ECMA-48 §5.4, and the strings of xterm): colours, titles, movements. */
// eslint-disable-next-line no-control-regex -- these are control characters
const sequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

/** The last lines of a text, without what only a terminal understands; a line that was written over is as it was last. */
export function lastLines(text: string, most: number): string[] {
  const lines = text
    .replaceAll(sequences, '')
    .split('\n')
    .map((line) =>
      (line.replace(/\r+$/, '').split('\r').at(-1) ?? '').replaceAll(/[^\P{Cc}\t]/gu, '').trimEnd(),
    );
  while (lines.at(-1) === '') lines.pop();
  return lines.slice(-most);
}
