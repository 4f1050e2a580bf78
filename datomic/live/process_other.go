//go:build !unix

package live

import "syscall"

func attributes() *syscall.SysProcAttr { return nil }
