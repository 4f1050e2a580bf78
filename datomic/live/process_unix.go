//go:build unix && !linux

package live

import "syscall"

// attributes put the child in a process group of its own.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
