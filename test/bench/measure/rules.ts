/** How long a decision takes among ten thousand rules, for connections that none of them takes, which is the worst. */
import { Rulebook } from '../../../electron/engine/rules/rulebook.ts';
import { largeLists, ruleCount, strangers } from '../../engine/rules/large.ts';
import { atMost, type Single } from './goals.ts';

const figure = new Intl.NumberFormat('en');

/** The slowest of the lists, each for so many seconds. */
export function ruleDecisions(seconds: number): Promise<Single> {
  const each = Object.values(largeLists).map((make) => {
    const rulebook = Rulebook.compile(make());
    const start = performance.now();
    let decisions = 0;
    while (performance.now() - start < seconds * 1000) {
      for (const facts of strangers) rulebook.decide(facts);
      decisions += strangers.length;
    }
    return ((performance.now() - start) / decisions) * 1000;
  });
  const name = `a decision among ${figure.format(ruleCount)} rules, slowest of ${each.length} lists`;
  return Promise.resolve(atMost(name, Math.max(...each), 'µs', 20));
}
