/** The completion script for zsh: candidates with what they mean. */
import { caseFunctions } from './completion-cases.ts';
import { type CompletedVerb, placesOf, quotedForShell as quoted } from './completion-tree.ts';

/** For a file `_culvert` in fpath, or to be sourced after compinit. */
export function zshScript(verbs: readonly CompletedVerb[]): string {
  const pair = (name: string, meaning: string) => quoted(`${name.replaceAll(':', '\\:')}:${meaning}`);
  const functions = caseFunctions(verbs, (verb) => {
    const names = verb.verbs.map(({ name, summary }) => pair(name, summary));
    const flags = verb.options.flatMap((option) =>
      option.names.map((name) => pair(name, option.description)),
    );
    return `verbs=(${names.join(' ')})
      flags=(${flags.join(' ')})
      operands=${quoted(placesOf(verb))}`;
  });
  return `#compdef culvert
# zsh completion for culvert, made by: culvert completion zsh
${functions}${walk}`;
}

/** Written with `@{` where the shell has a dollar: a template would take that for its own. */
const walk = String.raw`
_culvert_list() {
  local line name
  local -a found closed
  for line in @{(f)"$(_call_program culvert @{(q)program} complete $1 -- @{(q)PREFIX} 2>/dev/null)"}; do
    name=@{line%%$'\t'*}
    # A key of a query wants a value right behind it.
    if [[ $name == *: ]]; then closed+=("$name"); else found+=("@{name//:/\\:}:@{line#*$'\t'}"); fi
  done
  (( $#closed )) && compadd -S '' -a closed
  (( $#found )) && _describe -t values $1 found
}

_culvert() {
  local operands place= at= word program=@{words[1]/#\~/$HOME}
  local -i i count=0 over=0
  local -a verbs flags places names
  _culvert_verb '' || return
  for ((i = 2; i < CURRENT; i++)); do
    word=@{(Q)words[i]}
    names=(@{verbs%%:*})
    if ((over)); then
      ((count += 1))
    elif [[ $word == -- ]]; then
      over=1
    elif [[ $word == -?* ]]; then
      if [[ $word != *=* ]] && _culvert_value "@{at:+$at }$word"; then
        ((i += 1))
        ((i == CURRENT)) || place=
      fi
    elif ((count == 0)) && (( @{names[(Ie)$word]} )); then
      at="@{at:+$at }$word"
      _culvert_verb "$at" || return
    else
      ((count += 1))
      [[ $operands == command* ]] && over=1
    fi
  done
  if [[ -z $place ]]; then
    if ((!over)) && [[ $PREFIX == --*=* ]]; then
      _culvert_value "@{at:+$at }@{PREFIX%%=*}" || return
      compset -P '*='
    elif ((!over)) && [[ $PREFIX == -* && ! ($operands == @query* && $PREFIX == -[a-z]*) ]]; then
      _describe -o 'option' flags
      return
    elif (( $#verbs && count == 0 )); then
      _describe -t commands 'verb' verbs
      return
    else
      places=("@{(@s.;.)@{operands%...}}")
      if ((count < $#places)); then
        place=@{places[count + 1]}
      elif [[ $operands == *... ]]; then
        place=@{places[-1]}
      fi
    fi
  fi
  case $place in
    '='*) compadd -- @{=place#=} ;;
    @*) _culvert_list @{place#@} ;;
    command) if ((count == 0)); then _command_names -e; else _files; fi ;;
    file) _files ;;
  esac
}

if [[ $funcstack[1] == _culvert ]]; then _culvert "$@"; else compdef _culvert culvert; fi
`.replaceAll('@{', '${');
