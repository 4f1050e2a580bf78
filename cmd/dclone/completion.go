package main

import (
	"github.com/spf13/cobra"
)

const completionExample = `  source <(dclone completion bash)
  dclone completion zsh > "${fpath[1]}/_dclone"
  dclone completion fish > ~/.config/fish/completions/dclone.fish`

func newCompletion(p *program) *cobra.Command {
	return &cobra.Command{
		Use:       "completion bash|zsh|fish|powershell",
		Short:     "Print a shell's completion script",
		Example:   completionExample,
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			shell := ""
			if len(args) == 1 {
				shell = args[0]
			}
			switch root := cmd.Root(); shell {
			case "bash":
				return root.GenBashCompletionV2(p, true)
			case "zsh":
				return root.GenZshCompletion(p)
			case "fish":
				return root.GenFishCompletion(p, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(p)
			}
			return usage("completion", "which shell: bash, zsh, fish or powershell?")
		},
	}
}
