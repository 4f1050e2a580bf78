package live

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"dclone/fressian"
)

// window is how many parts of one stream may be on their way.
const window = 4

// A call is a request that is under way.
type call struct {
	id      int64
	answers chan answer // has room for all that may come
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

const keptBuffer = 4 << 20

func takeBuffer() []byte { return *buffers.Get().(*[]byte) }

// giveBuffer lets the memory of a frame be used again.
func giveBuffer(frame []byte) {
	if cap(frame) <= keptBuffer {
		buffers.Put(&frame)
	}
}

// register makes a call. The one with id 0 is that the child is ready.
func (c *Child) register(id int64) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id < 0 {
		id = c.nextID
	}
	k := &call{id: id, answers: make(chan answer, window+2)}
	c.calls[id] = k
	c.nextID = id + 1
	return k
}

func (c *Child) forget(k *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, k.id)
}

// dispatch gives an answer to the call it is for. What is for a call that is no longer wanted is dropped.
func (c *Child) dispatch(frame []byte) error {
	a, err := parseAnswer(frame)
	if err != nil {
		return err
	}
	c.mu.Lock()
	k, known := c.calls[a.id]
	wanted := a.id < c.nextID
	c.mu.Unlock()
	switch {
	case !wanted:
		return &frameError{fmt.Sprintf("an answer to request %d, which was not made", a.id)}
	case !known:
		giveBuffer(frame)
		return nil
	}
	select {
	case k.answers <- a:
		return nil
	default:
		return &frameError{fmt.Sprintf("more answers to request %d than were asked for", a.id)}
	}
}

// write hands a request to the child. Where it fails, nothing was handed over.
func (c *Child) write(ctx context.Context, request ...any) error {
	b, err := appendRequest(nil, request)
	if err != nil {
		return err
	}
	select {
	case c.requests <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.gone:
		return c.Err()
	}
}

// next waits for an answer.
func (c *Child) next(ctx context.Context, k *call) (answer, error) {
	select {
	case a := <-k.answers: // also one that came before the end
		return a, nil
	default:
	}
	select {
	case a := <-k.answers:
		return a, nil
	case <-ctx.Done():
		return answer{}, ctx.Err()
	case <-c.gone:
		select {
		case a := <-k.answers:
			return a, nil
		default:
			return answer{}, c.Err()
		}
	}
}

// wait waits for the answer to a call without parts, and returns its value.
func (c *Child) wait(ctx context.Context, k *call) ([]byte, error) {
	defer c.forget(k)
	a, err := c.next(ctx, k)
	switch {
	case err != nil:
		return nil, err
	case a.kind == kindPart:
		return nil, errors.New("read answer: a part of what has none")
	case a.kind == kindError:
		return nil, c.remoteError(a.value)
	}
	return a.value, nil
}

// An unsentError is that of a request that was not handed over to the child.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

// ask makes a request without parts, and returns what was answered.
func (c *Child) ask(ctx context.Context, op string, args ...any) ([]byte, error) {
	k := c.register(-1)
	if err := c.write(ctx, append([]any{k.id, op, int64(0)}, args...)...); err != nil {
		c.forget(k)
		return nil, &unsentError{err}
	}
	return c.wait(ctx, k)
}

// askFor is ask, of which a T is expected.
func askFor[T any](ctx context.Context, c *Child, op string, args ...any) (result T, err error) {
	b, err := c.ask(ctx, op, args...)
	if err != nil {
		return result, err
	}
	v, rest, err := fressian.Decode(b)
	if err != nil {
		return result, fmt.Errorf("read answer: %w", err)
	}
	result, ok := v.(T)
	if !ok || len(rest) > 0 {
		return result, fmt.Errorf("read answer: %T where %T belongs", v, result)
	}
	return result, nil
}

// remoteError makes an error of what the child says of one.
func (c *Child) remoteError(value []byte) error {
	v, _, _ := fressian.Decode(value)
	m, _ := v.(fressian.Map)
	text := func(key string) string {
		s, _ := lookup(m, key).(string)
		return c.stderr.redact(s)
	}
	return &RemoteError{Class: text("class"), Message: text("message"), Anomaly: text("anomaly"), DBError: text("db/error"),
		Data: text("data")}
}

// lookup returns the value of a key, nil where there is none.
func lookup(m fressian.Map, key string) any {
	for _, e := range m {
		if e.Key == key {
			return e.Value
		}
	}
	return nil
}

// stream makes a request with parts. Each is good until the next is asked for.
func (c *Child) stream(ctx context.Context, op string, args ...any) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		k := c.register(-1)
		defer c.forget(k)
		if err := c.write(ctx, append([]any{k.id, op, int64(window)}, args...)...); err != nil {
			yield(nil, err)
			return
		}
		over := false
		defer func() {
			if !over {
				// Nobody reads what still comes. Where this cannot be said either, the child is gone.
				soon, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
				defer stop()
				_ = c.write(soon, k.id, "cancel")
			}
		}()
		for {
			a, err := c.next(ctx, k)
			if err == nil && a.kind == kindPart {
				ok := yield(a.value, nil)
				giveBuffer(a.frame)
				if !ok {
					return
				}
				if err = c.write(ctx, k.id, "more", int64(1)); err == nil {
					continue
				}
			}
			over = err == nil
			if err == nil && a.kind == kindError {
				err = c.remoteError(a.value)
			}
			if err != nil {
				yield(nil, err)
			}
			return
		}
	}
}
