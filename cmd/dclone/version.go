package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker, -X main.version=v1.2.3, where a release is built.
var version string

// A versionDoc is what version prints.
type versionDoc struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // of the repository, where that is known
	Modified bool   `json:"modified"` // it was built of files that are not in the repository
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func newVersion(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the program's version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := readVersion()
			if p.json {
				return p.document(v)
			}
			revision := v.Revision
			if v.Modified {
				revision += ", modified"
			}
			fmt.Fprintf(p, "dclone %s (%s, %s/%s)%s\n", v.Version, v.Go, v.OS, v.Arch, prefixed(" ", revision))
			return nil
		},
	}
	p.jsonFlag(cmd)
	return cmd
}

func readVersion() versionDoc {
	v := versionDoc{Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v.Version == "" {
			v.Version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Revision = s.Value
			case "vcs.modified":
				v.Modified = s.Value == "true"
			}
		}
	}
	if v.Version == "" {
		v.Version = "(devel)"
	}
	return v
}

// prefixed returns s behind prefix, nothing where s is "".
func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
