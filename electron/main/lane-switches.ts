/**
 * Turns proxying off, blocks everything, and gives each app back what it had: by switching running lanes to
 * `direct` or `none`, with the profile of each remembered until it has it again.
 *
 * Blocking goes before all else and takes hold of apps that start meanwhile. What is remembered goes with this
 * process: an app that is blocked then stays so, and its profile can be chosen in the window.
 *
 * Must not: give an app a way out that its user did not choose. A lane whose profile has no name (its proxy was
 * typed on the command line) could not have it back: it is never switched to `direct`, and stays blocked.
 */
import type { ShownLane } from '#shared/contract.ts';
import { builtInProfiles } from '#shared/profile.ts';

interface Held {
  /** The profile that it is to have again; undefined where that has no name. */
  own: string | undefined;
  /** Proxying is off for it. */
  isOff: boolean;
  target: string;
  /** It was seen there: another profile after that is its user's choice. */
  isThere: boolean;
}

/** Switches a lane; whoever gives it tells the user if that fails, and does not throw. */
export type SwitchLane = (lane: string, profile: string) => void;

export class LaneSwitches {
  readonly #switchLane: SwitchLane;
  readonly #held = new Map<string, Held>();
  #isBlocking = false;
  #lanes: readonly ShownLane[] = [];

  constructor(switchLane: SwitchLane) {
    this.#switchLane = switchLane;
  }

  get isBlocking(): boolean {
    return this.#isBlocking;
  }

  /** Proxying is off: for some, and no app is left for which it could be. */
  get isOff(): boolean {
    return [...this.#held.values()].some(({ isOff }) => isOff) && this.proxied.length === 0;
  }

  /** The apps that proxying can be turned off for. */
  get proxied(): readonly ShownLane[] {
    return this.#lanes.filter((lane) => {
      const held = this.#held.get(lane.id);
      if (held !== undefined) return !held.isOff && held.own !== undefined && !isBuiltIn(held.own);
      return lane.profile.id !== undefined && lane.via !== 'direct' && lane.via !== 'blocked';
    });
  }

  /** The apps that would stay blocked. */
  get typed(): readonly ShownLane[] {
    return this.#lanes.filter(({ profile, via }) => profile.id === undefined && via !== 'blocked');
  }

  /** The lanes that were turned off and can be turned on again. */
  get restorable(): ReadonlySet<string> {
    return new Set([...this.#held].filter(([, { isOff }]) => isOff).map(([id]) => id));
  }

  /** What runs now, of all engines. */
  update(lanes: readonly ShownLane[]): void {
    this.#lanes = lanes.filter(({ state }) => state === 'running');
    const ids = new Set(lanes.filter(({ state }) => state !== 'gone').map(({ id }) => id));
    for (const id of this.#held.keys()) if (!ids.has(id)) this.#held.delete(id);
    for (const lane of this.#lanes) this.#look(lane);
  }

  setBlocking(isBlocking: boolean): void {
    this.#isBlocking = isBlocking;
    if (isBlocking) {
      for (const lane of this.#lanes) if (lane.via !== 'blocked') this.#hold(lane);
      return;
    }
    for (const [id, held] of this.#held) {
      if (held.own === undefined) this.#held.delete(id);
      else this.#send(id, held);
    }
  }

  /** Lets apps out without their proxy; those for which it is not possible are passed over. */
  turnOff(lanes: readonly ShownLane[]): void {
    const possible = new Set(this.proxied.map(({ id }) => id));
    for (const lane of lanes) if (possible.has(lane.id)) this.#hold(lane, true);
  }

  /** Gives one app its profile again, or all. */
  turnOn(lane?: string): void {
    for (const [id, held] of this.#held) {
      if (!held.isOff || (lane !== undefined && lane !== id)) continue;
      held.isOff = false;
      this.#send(id, held);
    }
  }

  /** Gives an app a profile; while everything is blocked it is the one that it has afterwards. */
  choose(lane: string, profile: string): void {
    const held = this.#held.get(lane);
    if (this.#isBlocking && held !== undefined) {
      held.own = profile;
      held.isOff = false;
      return;
    }
    this.#held.delete(lane);
    this.#switchLane(lane, profile);
  }

  #look(lane: ShownLane): void {
    const held = this.#held.get(lane.id);
    if (held === undefined) {
      if (this.#isBlocking && lane.via !== 'blocked') this.#hold(lane);
    } else if (lane.profile.id === held.target) {
      held.isThere = true;
      if (!this.#isBlocking && !held.isOff) this.#held.delete(lane.id);
    } else if (held.isThere) {
      this.#held.delete(lane.id);
      if (this.#isBlocking) this.#hold(lane);
    }
  }

  #hold(lane: ShownLane, isOff?: boolean): void {
    const held = this.#held.get(lane.id) ?? {
      own: lane.profile.id,
      isOff: false,
      target: '',
      isThere: false,
    };
    held.isOff = isOff ?? held.isOff;
    this.#held.set(lane.id, held);
    this.#send(lane.id, held);
  }

  #send(id: string, held: Held): void {
    const target = this.#isBlocking ? 'none' : held.isOff ? 'direct' : held.own;
    if (target === undefined || target === held.target) return;
    held.target = target;
    held.isThere = false;
    this.#switchLane(id, target);
  }
}

function isBuiltIn(profile: string): boolean {
  return builtInProfiles.some((name) => name === profile);
}
