package main

import (
	"fmt"
	"strconv"
)

// A number is how many there are of something, as a flag: one at least where it is given.
type number int

const maxNumber = 1 << 30

// String writes n, and nothing where it is not given.
func (n *number) String() string {
	if *n == 0 {
		return ""
	}
	return strconv.Itoa(int(*n))
}

// Set reads what String writes.
func (n *number) Set(text string) error {
	v, err := strconv.Atoi(text)
	if err != nil || v < 1 || v > maxNumber {
		return fmt.Errorf("it may be from 1 to %d", maxNumber)
	}
	*n = number(v)
	return nil
}

// Type names the kind of value in help texts.
func (n *number) Type() string { return "N" }
