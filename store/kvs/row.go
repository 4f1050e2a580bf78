package kvs

import (
	"fmt"
	"regexp"

	"dclone"
	"dclone/edn"
)

// Limits of what is read of a row. Datomic's maps have some hundred bytes.
const (
	maxMap     = 64 << 10
	maxCatalog = 16 << 20
)

// segmentShape is what ids of segments and of pieces look like, to Go and to PostgreSQL. No row with a
// meaning of its own has such an id.
const segmentShape = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:_[0-9A-F]{15})?`

var segmentID = regexp.MustCompile(`^` + segmentShape + `$`)

// A rowMap is what the map of a row says.
type rowMap edn.Map

// parseMap reads the map of a row; that of a row without one is empty.
func parseMap(id string, text *string) (rowMap, error) {
	if text == nil || *text == "{}" || *text == "" {
		return nil, nil
	}
	v, err := edn.Parse([]byte(*text))
	if err != nil {
		return nil, fmt.Errorf("%w: its map is no EDN: %w", damaged(id), err)
	}
	m, ok := v.(edn.Map)
	if !ok {
		return nil, fmt.Errorf("%w: its map is none", damaged(id))
	}
	return rowMap(m), nil
}

func damaged(id string) error { return fmt.Errorf("row %s: %w", id, ErrDamaged) }

func (m rowMap) get(namespace, name string) any {
	for _, entry := range m {
		if entry.Key == dclone.Kw(namespace, name) {
			return entry.Value
		}
	}
	return nil
}

// segment returns the id of a segment or piece under a key. It is "" where there is no such key.
func (m rowMap) segment(id, namespace, name string) (string, error) {
	v := m.get(namespace, name)
	if v == nil {
		return "", nil
	}
	s, ok := v.(string)
	if !ok || !segmentID.MatchString(s) {
		return "", fmt.Errorf("%w: its %v is no id of a segment", damaged(id), dclone.Kw(namespace, name))
	}
	return s, nil
}
