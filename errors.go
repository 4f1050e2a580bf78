package dclone

// A SourceError is an error met in the source.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }
func (e *SourceError) Unwrap() error { return e.Err }

// A DestError is an error met in the clone, its sidecar included.
type DestError struct{ Err error }

func (e *DestError) Error() string { return e.Err.Error() }
func (e *DestError) Unwrap() error { return e.Err }

// InSource says of an error that it was met in the source; of nil it says nothing.
func InSource(err error) error {
	if err == nil {
		return nil
	}
	return &SourceError{Err: err}
}

// InDest says of an error that it was met in the clone; of nil it says nothing.
func InDest(err error) error {
	if err == nil {
		return nil
	}
	return &DestError{Err: err}
}
