/**
 * How long a rulebook of 10,000 rules takes to compile and to decide about a flow that none of them matches, which
 * is the worst. The goal is 20 µs. Not part of the tests:
 *
 *   npx esbuild test/engine/rules/bench/decide.ts --bundle --platform=node --format=cjs --outfile=dist/test/decide.cjs
 *   node dist/test/decide.cjs [seconds]
 */
import { Rulebook } from '../../../../electron/engine/rules/rulebook.ts';
import { shadows } from '../../../../electron/engine/rules/shadow.ts';
import { largeLists, strangers } from '../large.ts';

const forMs = Number(process.argv[2] ?? 0.5) * 1000;

for (const [name, make] of Object.entries(largeLists)) {
  const rules = make();
  const began = performance.now();
  const rulebook = Rulebook.compile(rules);
  const compileMs = performance.now() - began;
  const shadowBegan = performance.now();
  const shadowed = shadows(rules).length;
  const shadowMs = performance.now() - shadowBegan;
  let decisions = 0;
  const start = performance.now();
  while (performance.now() - start < forMs) {
    for (const facts of strangers) rulebook.decide(facts);
    decisions += strangers.length;
  }
  const eachUs = ((performance.now() - start) / decisions) * 1000;
  console.log(
    `${eachUs.toFixed(2).padStart(7)} µs  compile ${compileMs.toFixed(0).padStart(4)} ms  ` +
      `shadows ${shadowMs.toFixed(0).padStart(4)} ms (${shadowed})  ${name}`,
  );
}
