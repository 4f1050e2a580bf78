package local

import (
	"fmt"
	"os"
	"unsafe"
)

const recordSize = int64(unsafe.Sizeof(Record{}))

// An area keeps records at places that are known beforehand: in memory, or in a file that has no
// name, so that nothing is left of it whatever happens. Different places may be written at once.
type area struct {
	mem  []Record
	file *os.File
	name string // of the file, where the system did not let it be removed
}

func newFileArea(dir string) (*area, error) {
	f, err := os.CreateTemp(dir, "dclone-records-")
	if err != nil {
		return nil, err
	}
	a := &area{file: f}
	if os.Remove(f.Name()) != nil {
		a.name = f.Name()
	}
	return a, nil
}

func (a *area) write(at int64, r []Record) error {
	if a.file == nil {
		copy(a.mem[at:], r)
		return nil
	}
	if _, err := a.file.WriteAt(recordBytes(r), at*recordSize); err != nil {
		return fmt.Errorf("write %d records to a temporary file: %w", len(r), err)
	}
	return nil
}

func (a *area) read(at int64, r []Record) error {
	if a.file == nil {
		copy(r, a.mem[at:])
		return nil
	}
	if _, err := a.file.ReadAt(recordBytes(r), at*recordSize); err != nil {
		return fmt.Errorf("read %d records from a temporary file: %w", len(r), err)
	}
	return nil
}

func (a *area) close() error {
	if a.file == nil {
		return nil
	}
	err := a.file.Close()
	if a.name != "" {
		os.Remove(a.name)
	}
	return err
}

// recordBytes returns the memory of r. The file is read by this process alone, so the order of
// its bytes is the machine's.
func recordBytes(r []Record) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(r))), int64(len(r))*recordSize)
}

// A stretch is n records of an area, from one place on.
type stretch struct {
	area *area
	at   int64
	n    int64
}

// read reads records from the i-th on.
func (s stretch) read(i int64, r []Record) error { return s.area.read(s.at+i, r) }

// write writes records from the i-th on.
func (s stretch) write(i int64, r []Record) error { return s.area.write(s.at+i, r) }
