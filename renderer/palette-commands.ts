/** What the palette offers: screens, running apps, looks. */
import type { Component } from 'vue';

export interface PaletteCommand {
  readonly id: string;
  readonly text: string;
  readonly icon: Component;
  readonly run: () => void;
}

/** The commands in which every typed word occurs, in their order. */
export function matchCommands(commands: readonly PaletteCommand[], typed: string): PaletteCommand[] {
  const words = typed.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter(({ text }) => {
    const low = text.toLocaleLowerCase();
    return words.every((word) => low.includes(word));
  });
}
