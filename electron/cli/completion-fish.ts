/** The completion script for fish: candidates with what they mean. */
import { type CompletedVerb, placeOf, placesOf } from './completion-tree.ts';

/** For ~/.config/fish/completions/culvert.fish. */
export function fishScript(verbs: readonly CompletedVerb[]): string {
  const pair = (name: string, meaning: string) => quoted(`${name}\t${meaning}`);
  const nodes = verbs.map((verb) => {
    const names = verb.verbs.map(({ name, summary }) => pair(name, summary));
    const flags = verb.options.flatMap((option) =>
      option.names.map((name) => pair(name, option.description)),
    );
    return `        case ${quoted(verb.path.join(' '))}
            set -g __culvert_verbs ${names.join(' ')}
            set -g __culvert_flags ${flags.join(' ')}
            set -g __culvert_operands ${quoted(placesOf(verb))}`;
  });
  const values = verbs.flatMap((verb) =>
    verb.options.flatMap(({ names, values: place }) =>
      place === undefined
        ? []
        : `        case ${names.map((name) => quoted([...verb.path, name].join(' '))).join(' ')}
            echo ${quoted(placeOf(place))}`,
    ),
  );
  return `# fish completion for culvert, made by: culvert completion fish
function __culvert_verb
    switch "$argv"
${nodes.join('\n')}
        case '*'
            return 1
    end
end

function __culvert_value
    switch "$argv"
${values.join('\n')}
        case '*'
            return 1
    end
end
${walk}`;
}

/** In fish's single quotes only the quote and the backslash have a meaning; a tab is meant as one. */
function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

const walk = String.raw`
function __culvert_place
    switch $argv[1]
        case '=*'
            string sub -s 2 -- $argv[1] | string split ' ' | string replace -r '^' -- "$argv[2]"
        case '@*'
            set -l program (commandline -opc)[1]
            eval (string escape -- $program) complete (string sub -s 2 -- $argv[1]) -- (string escape -- $argv[3]) 2>/dev/null | string replace -r '^' -- "$argv[2]"
        case file
            __fish_complete_path $argv[3]
        case command
            __fish_complete_subcommand --commandline $argv[4..-1]
    end
end

function __culvert_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -l at
    set -l count 0
    set -l over 0
    set -l place
    set -l first 0
    __culvert_verb ''
    set -l i 2
    while test $i -le (count $typed)
        set -l word $typed[$i]
        set place
        if test $over = 1
            set count (math $count + 1)
            test $first = 0; and set first $i
        else if test "$word" = --
            set over 1
        else if string match -q -- '-?*' $word
            if not string match -q -- '*=*' $word
                and set -l value (__culvert_value (string join ' ' -- $at $word))
                set i (math $i + 1)
                test $i -gt (count $typed); and set place $value
            end
        else if test $count = 0; and contains -- $word (string replace -r '\t.*' '' -- $__culvert_verbs)
            set -a at $word
            __culvert_verb "$at"; or return
        else
            set count (math $count + 1)
            test $first = 0; and set first $i
            string match -q 'command*' -- $__culvert_operands; and set over 1
        end
        set i (math $i + 1)
    end
    if test -n "$place"
        __culvert_place $place '' $current
    else if test $over = 0; and string match -q -- '--*=*' $current
        set -l flag (string split -m 1 = -- $current)
        set -l value (__culvert_value (string join ' ' -- $at $flag[1])); or return
        __culvert_place $value "$flag[1]=" "$flag[2]"
    else if test $over = 0; and string match -q -- '-*' $current; and not string match -qr -- '^@query.* -[a-z]' "$__culvert_operands $current"
        printf '%s\n' $__culvert_flags
    else if test $count = 0; and test -n "$__culvert_verbs[1]"
        printf '%s\n' $__culvert_verbs
    else
        set -l places (string split ';' -- (string replace -r '\.\.\.$' '' -- $__culvert_operands))
        set -l nth (math $count + 1)
        if test $nth -gt (count $places)
            string match -q -- '*...' $__culvert_operands; or return
            set nth (count $places)
        end
        set -l rest
        test $first -gt 0; and set rest $typed[$first..-1]
        __culvert_place $places[$nth] '' "$current" $rest $current
    end
end

complete -c culvert -e
complete -c culvert -f -a '(__culvert_complete)'
`;
