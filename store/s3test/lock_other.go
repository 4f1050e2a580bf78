//go:build !unix || solaris || aix

package s3test

import (
	"fmt"
	"runtime"
)

func lockFile(name string) (unlock func(), err error) {
	return nil, fmt.Errorf("lock %s: no file locks on %s", name, runtime.GOOS)
}
