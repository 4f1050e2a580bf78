package segment

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"dclone"
	"dclone/fressian"

	"github.com/google/uuid"
)

// decode decodes the one value that raw holds. It is for the small nodes.
func decode(kind Kind, raw []byte) (any, error) {
	d := fressian.NewDecoder(raw)
	v, err := d.Decode()
	if errors.Is(err, io.EOF) {
		return nil, &DamageError{kind.String(), 0, errors.New("it is empty")}
	}
	if err != nil {
		return nil, damage(kind, err)
	}
	at := d.Offset()
	switch _, err := d.Decode(); {
	case err == nil:
		return nil, &DamageError{kind.String(), at, fmt.Errorf("%d bytes behind the end", len(raw)-at)}
	case !errors.Is(err, io.EOF):
		return nil, damage(kind, err)
	}
	return v, nil
}

// A record is a map whose keys are keywords, without their colons.
type record struct {
	kind Kind
	of   map[string]any
	err  error // the first, which stays
}

// decodeRecord decodes the one map that raw holds.
func decodeRecord(kind Kind, raw []byte) *record {
	v, err := decode(kind, raw)
	if err != nil {
		return &record{kind: kind, err: err}
	}
	return recordOf(kind, v)
}

func recordOf(kind Kind, v any) *record {
	r := &record{kind: kind}
	m, ok := v.(fressian.Map)
	if !ok {
		r.fail("%T where a map belongs", v)
		return r
	}
	r.of = make(map[string]any, len(m))
	for _, e := range m {
		if k, ok := e.Key.(dclone.Keyword); ok {
			r.of[k.String()[1:]] = e.Value
		} else {
			r.fail("%T for a key", e.Key)
		}
	}
	return r
}

func (r *record) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &DamageError{r.kind.String(), 0, fmt.Errorf(format, args...)}
	}
}

// int returns the number at key, which is not negative; 0 where there is none.
func (r *record) int(key string) int64 {
	v := r.of[key]
	n, ok := v.(int64)
	if v != nil && !ok || n < 0 || n > dclone.MaxEidx {
		r.fail(":%s is %s", key, brief(v))
		return 0
	}
	return n
}

func (r *record) small(key string) int {
	n := r.int(key)
	if n > 1<<16 {
		r.fail(":%s is %d", key, n)
		return 0
	}
	return int(n)
}

// id returns the id at key, "" where there is none.
func (r *record) id(key string) ID {
	switch v := r.of[key].(type) {
	case nil:
	case uuid.UUID:
		return v.String()
	default:
		r.fail(":%s is a %T", key, v)
	}
	return ""
}

// text returns the string at key, which must be there.
func (r *record) text(key string) string {
	s, ok := r.of[key].(string)
	if !ok || s == "" {
		r.fail(":%s is a %T where text belongs", key, r.of[key])
	}
	return s
}

// brief returns what v is, but not at length.
func brief(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		return strconv.Quote(v[:min(len(v), 40)])
	}
	return fmt.Sprintf("a %T", v)
}
