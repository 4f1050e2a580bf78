package fressian

import "math"

// array reads an array whose code c has just been read.
func (d *Decoder) array(c byte) (v any, err error) {
	offset := d.off - 1
	if err := d.enter(offset); err != nil {
		return nil, err
	}
	n, err := d.countValues(offset, "array", "elements")
	if err != nil {
		return nil, err
	}
	switch c {
	case codeLongs:
		v, err = readArray(n, d.int)
	case codeInts:
		v, err = readArray(n, d.int32)
	case codeDoubles:
		v, err = readArray(n, func() (float64, error) { return as[float64](d, "a double") })
	case codeFloats:
		v, err = readArray(n, func() (float32, error) { return as[float32](d, "a float") })
	case codeBools:
		v, err = readArray(n, func() (bool, error) { return as[bool](d, "a boolean") })
	default:
		var items []any
		items, err = d.values(n)
		v = Objects(items)
	}
	if err != nil {
		return nil, err
	}
	d.leave()
	return v, nil
}

func readArray[T any](n int64, element func() (T, error)) ([]T, error) {
	items := make([]T, 0, min(n, trusted))
	for range n {
		v, err := element()
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, nil
}

func (d *Decoder) int32() (int32, error) {
	offset := d.off
	v, err := d.int()
	if err != nil {
		return 0, err
	}
	if v < math.MinInt32 || v > math.MaxInt32 {
		return 0, bad(offset, "int %d in an int array", v)
	}
	return int32(v), nil
}
