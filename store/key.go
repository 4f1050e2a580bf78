package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

var errKey = errors.New("it is not a key")

// CheckKey refuses what is no key of Files: a key is a relative path with slashes, has no empty
// element and none that is "." or "..", and leads out of the store on no system.
func CheckKey(key string) error {
	if !fs.ValidPath(key) || key == "." || strings.ContainsAny(key, "\\\x00:") {
		return fmt.Errorf("look for %q: %w", key, errKey)
	}
	return nil
}

var errID = errors.New("it is not the id of a segment")

// Lengths of the two forms of ids.
const (
	uuidLen  = 36
	chunkLen = uuidLen + 1 + 15
)

// checkID refuses what is no id: ids come out of segments, and become parts of paths. An id is a
// uuid in lower case, or one and the number of a full-text chunk, 15 hex digits in upper case. Datomic
// writes no others, so that no two ids differ in case alone.
func checkID(id string) error {
	ok := len(id) == uuidLen || len(id) == chunkLen && id[uuidLen] == '_'
	for i := 0; ok && i < len(id); i++ {
		switch c := id[i]; {
		case i == uuidLen: // its underscore
		case i == 8 || i == 13 || i == 18 || i == 23:
			ok = c == '-'
		case c >= '0' && c <= '9':
		case i < uuidLen:
			ok = c >= 'a' && c <= 'f'
		default:
			ok = c >= 'A' && c <= 'F'
		}
	}
	if !ok {
		return fmt.Errorf("look for segment %.100q: %w", id, errID)
	}
	return nil
}
