package fressian

import "fmt"

func (e *Encoder) array(v any) error {
	switch v := v.(type) {
	case []int64:
		return array(e, codeLongs, v, e.int)
	case []int32:
		return array(e, codeInts, v, func(v int32) { e.int(int64(v)) })
	case []float64:
		return array(e, codeDoubles, v, e.double)
	case []float32:
		return array(e, codeFloats, v, e.float)
	case []bool:
		return array(e, codeBools, v, e.bool)
	case Objects:
		return e.objects(v)
	}
	return fmt.Errorf("%T is no fressian type", v)
}

// array writes a count and the elements, each as if it stood alone: a long[] may hold ints of
// every width.
func array[T any](e *Encoder, c byte, items []T, write func(T)) error {
	if err := e.leaf(c); err != nil {
		return err
	}
	e.int(int64(len(items)))
	for _, item := range items {
		write(item)
	}
	return nil
}

func (e *Encoder) objects(items Objects) error {
	if err := e.enter(); err != nil {
		return err
	}
	e.code(codeObjects)
	e.int(int64(len(items)))
	for _, item := range items {
		if err := e.value(item); err != nil {
			return err
		}
	}
	e.leave()
	return nil
}
