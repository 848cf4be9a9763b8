/** The completion script for bash: a table of the verbs, and a walk along the words that have been typed. */
import { caseFunctions } from './completion-cases.ts';
import { type CompletedVerb, placesOf, quotedForShell as quoted } from './completion-tree.ts';

/** Works without the package bash-completion, from bash 4.2 on. */
export function bashScript(verbs: readonly CompletedVerb[]): string {
  const functions = caseFunctions(verbs, (verb) => {
    const names = verb.verbs.map(({ name }) => name).join(' ');
    const flags = verb.options.flatMap((option) => option.names.filter((name) => name.startsWith('--')));
    return `verbs=${quoted(names)} flags=${quoted(flags.join(' '))} operands=${quoted(placesOf(verb))}`;
  });
  return `# bash completion for culvert, made by: culvert completion bash
${functions}${walk}`;
}

/**
 * bash cuts words at `:` and `=`, which queries and options have inside: they are read from the line again, and what
 * bash has cut off is taken off the candidates. Written with `@{` where the shell has a dollar: a template would take
 * that for its own.
 */
const walk = String.raw`
_culvert_add() {
  local candidate cut=
  [[ $COMP_WORDBREAKS == *:* && $value == *:* ]] && cut=@{value%"@{value##*:}"}
  while IFS= read -r candidate; do
    candidate=@{candidate%%$'\t'*}
    [[ -n $candidate && $candidate == "$value"* ]] || continue
    [[ $candidate == *: ]] && compopt -o nospace 2>/dev/null
    COMPREPLY+=("$lead@{candidate#"$cut"}")
  done
}

_culvert() {
  local line=@{COMP_LINE:0:COMP_POINT} verbs flags operands place= at= lead= value
  local -i i count=0 over=0
  local -a typed
  COMPREPLY=()
  read -ra typed <<<"$line"
  [[ $line == *[[:space:]] ]] && typed+=('')
  local -i last=@{#typed[@]}-1
  value=@{typed[last]}
  _culvert_verb '' || return
  for ((i = 1; i < last; i++)); do
    local word=@{typed[i]}
    if ((over)); then
      count+=1
    elif [[ $word == -- ]]; then
      over=1
    elif [[ $word == -?* ]]; then
      if [[ $word != *=* ]] && _culvert_value "@{at:+$at }$word"; then
        i+=1
        ((i == last)) || place=
      fi
    elif ((count == 0)) && [[ " $verbs " == *" $word "* ]]; then
      at=@{at:+$at }$word
      _culvert_verb "$at" || return
    else
      count+=1
      [[ $operands == command* ]] && over=1
    fi
  done
  if [[ -z $place ]]; then
    if ((!over)) && [[ $value == --*=* ]]; then
      _culvert_value "@{at:+$at }@{value%%=*}" || return
      [[ $COMP_WORDBREAKS == *=* ]] || lead=@{value%%=*}=
      value=@{value#*=}
    elif ((!over)) && [[ $value == -* && ! ($operands == @query* && $value == -[a-z]*) ]]; then
      place="=$flags"
    elif [[ -n $verbs && $count -eq 0 ]]; then
      place="=$verbs"
    else
      local -a places
      IFS=';' read -ra places <<<"@{operands%...}"
      if ((count < @{#places[@]})); then
        place=@{places[count]}
      elif [[ $operands == *... ]]; then
        place=@{places[@{#places[@]} - 1]}
      fi
    fi
  fi
  local program=@{typed[0]/#\~/$HOME}
  case $place in
    =*) _culvert_add < <(printf '%s\n' @{place#=}) ;;
    @*) _culvert_add < <("$program" complete "@{place#@}" -- "$value" 2>/dev/null) ;;
    command)
      compopt -o filenames 2>/dev/null
      if ((count == 0)); then mapfile -t COMPREPLY < <(compgen -c -- "$value"); else mapfile -t COMPREPLY < <(compgen -f -- "$value"); fi
      ;;
    file)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$value")
      ;;
  esac
}

complete -F _culvert culvert
`.replaceAll('@{', '${');
