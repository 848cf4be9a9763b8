/** The keys and what they do, as a list for people: keys.ts and the screens listen to them. */

/** What a key is for, by the name of its words; the keys that are pressed together. */
export const shortcuts = [
  ['screens', ['Ctrl', '1 … 7']],
  ['palette', ['Ctrl', 'K']],
  ['openFile', ['Ctrl', 'O']],
  ['search', ['Ctrl', 'F']],
  ['settings', ['Ctrl', ',']],
  ['panes', ['F6']],
  ['menu', ['Shift', 'F10']],
  ['pause', ['Space']],
  ['closeFlow', ['Delete']],
  ['moveRule', ['Alt', '↑ ↓']],
  ['help', ['F1']],
  ['window', ['Ctrl', 'W']],
  ['quit', ['Ctrl', 'Q']],
] as const;
