/** What the completion scripts of bash and zsh have in common: two functions that know the verbs and their options. */
import { type CompletedVerb, placeOf, quotedForShell as quoted } from './completion-tree.ts';

/** `assignmentsOf` is what the first function sets for a verb. */
export function caseFunctions(
  verbs: readonly CompletedVerb[],
  assignmentsOf: (verb: CompletedVerb) => string,
): string {
  const nodes = verbs.map((verb) => `    ${quoted(verb.path.join(' '))}) ${assignmentsOf(verb)} ;;`);
  const values = verbs.flatMap((verb) =>
    verb.options.flatMap(({ names, values: place }) =>
      place === undefined
        ? []
        : `    ${names.map((name) => quoted([...verb.path, name].join(' '))).join('|')}) place=${quoted(placeOf(place))} ;;`,
    ),
  );
  return `_culvert_verb() {
  case $1 in
${nodes.join('\n')}
    *) return 1 ;;
  esac
}

_culvert_value() {
  case $1 in
${values.join('\n')}
    *) return 1 ;;
  esac
}
`;
}
