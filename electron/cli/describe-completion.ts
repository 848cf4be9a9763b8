/** How the verbs for shells are typed. */
import type { Command } from 'commander';

const completionHelp = `
To have it in every shell:
  bash: culvert completion bash > ~/.local/share/bash-completion/completions/culvert
        (without the package bash-completion: put  source <(culvert completion bash)  into ~/.bashrc)
  zsh:  culvert completion zsh > DIRECTORY/_culvert, for a directory of your $fpath
  fish: culvert completion fish > ~/.config/fish/completions/culvert.fish`;

export function describeCompletion(program: Command): void {
  program
    .command('completion')
    .summary('print a script that completes commands')
    .description(
      'Print a script with which a shell completes verbs, options, and the names of your profiles and apps.',
    )
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', completionHelp)
    .action(async (shell: string) => {
      const { completion } = await import('./completion.ts');
      completion(shell, program);
    });
  program
    .command('manual', { hidden: true })
    .argument('<page>')
    .action(async (page: string) => {
      const { manual } = await import('./manual.ts');
      manual(page, program);
    });
  program
    .command('complete', { hidden: true })
    .argument('<what>')
    .argument('[word]')
    .action(async (what: string, word: string | undefined) => {
      const { complete } = await import('./completion.ts');
      await complete(what, word ?? '');
    });
}
