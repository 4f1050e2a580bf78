package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A size is a number of bytes as a flag: 1048576, 64MiB.
type size int64

var sizeUnits = []struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

// String writes s with the largest unit that divides it.
func (s *size) String() string {
	for _, u := range sizeUnits {
		if int64(*s)%u.bytes == 0 && int64(*s) >= u.bytes {
			return strconv.FormatInt(int64(*s)/u.bytes, 10) + u.suffix
		}
	}
	return "0"
}

// Set reads what String writes, and fractions of a unit.
func (s *size) Set(text string) error {
	for _, u := range sizeUnits {
		number, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		bytes := n * float64(u.bytes)
		if err != nil || !(bytes >= 1) || bytes > math.MaxInt64/2 || bytes != math.Trunc(bytes) {
			break
		}
		*s = size(bytes)
		return nil
	}
	return fmt.Errorf("it is not a number of bytes such as 1048576, 512KiB, 64MiB or 1GiB")
}

// Type names the kind of value in help texts.
func (s *size) Type() string { return "SIZE" }
