//go:build !unix

package pgtest

import "os/exec"

// asPostgres knows no other user, and no shell to run the server with.
func asPostgres(*exec.Cmd, string) error {
	return missing("these tests know how to start it on Unix only")
}
