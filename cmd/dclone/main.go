// Command dclone clones Datomic databases, incrementally and exactly once.
package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	// A reader that went away is met as an error of the write, and ends the program quietly.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run runs one command and returns its exit code. It is the only place where errors are printed.
func run(args []string, stdout, stderr io.Writer) int {
	p := &program{console: newConsole(stdout, stderr)}
	root := newRoot(p)
	root.SetArgs(args)
	err := root.Execute()
	if err != nil && !p.started {
		err = misused(root, args, err)
	}
	if gone := p.close(); err == nil && gone != nil {
		err = gone
	}
	if err == nil {
		return codeDone
	}
	f := p.explain(err)
	p.fail(f, p.json || wantsJSON(args))
	return f.code
}

// misused is the failure of a command line that cobra refuses.
func misused(root *cobra.Command, args []string, err error) error {
	if isA[*failure](err) {
		return err
	}
	try := "dclone help"
	if len(args) > 0 {
		if like := root.SuggestionsFor(args[0]); len(like) > 0 {
			try = "dclone " + like[0]
		}
	}
	return &failure{codeUsage, err, try}
}

// wantsJSON reports whether args ask for JSON, for errors that come before flags are parsed.
func wantsJSON(args []string) bool {
	for _, a := range args {
		switch a {
		case "--":
			return false
		case "--json", "--json=true":
			return true
		}
	}
	return false
}
