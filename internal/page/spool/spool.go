// Package spool takes the bytes of a picture that is being made. It names no file and keeps none: whoever takes the file
// closes it.
package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// Spool takes the bytes of a picture: in memory up to a size, and in a file without a name from there on.
type Spool struct {
	dir  string // of the file
	hold int    // bytes in memory
	held bytes.Buffer
	file *os.File
}

// Write takes the next bytes.
func (s *Spool) Write(p []byte) (int, error) {
	if s.file == nil && s.held.Len()+len(p) > s.hold {
		if err := s.spill(); err != nil {
			return 0, err
		}
	}
	if s.file != nil {
		return s.file.Write(p)
	}
	return s.held.Write(p)
}

// New returns an empty Spool that holds so many bytes in memory; its file, if there is one, lies in the folder.
func New(folder string, hold int) *Spool { return &Spool{dir: folder, hold: hold} }

// spill moves what is held to a file. It has no name any more: nothing is left of it, whatever happens.
func (s *Spool) spill() error {
	file, err := os.CreateTemp(s.dir, ".picture-*")
	if err != nil {
		return fmt.Errorf("make a file for a large picture: %w", err)
	}
	s.file = file
	if err := os.Remove(file.Name()); err != nil {
		return fmt.Errorf("make a file for a large picture: %w", err)
	}
	_, err = s.held.WriteTo(file)
	s.held = bytes.Buffer{}
	return err
}

// Start is the beginning of what was written, at least the header of a picture.
func (s *Spool) Start() ([]byte, error) {
	if s.file == nil {
		return s.held.Bytes(), nil
	}
	head := make([]byte, 4096)
	n, err := s.file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head[:n], nil
}

// All reads what was written into memory.
func (s *Spool) All() ([]byte, error) {
	if s.file == nil {
		return s.held.Bytes(), nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(s.file)
}

// Reader reads what was written from its beginning. Nothing may be written meanwhile.
func (s *Spool) Reader() io.Reader {
	if s.file == nil {
		return bytes.NewReader(s.held.Bytes())
	}
	return io.NewSectionReader(s.file, 0, math.MaxInt64)
}

// Take hands the file over, if there is one.
func (s *Spool) Take() (*os.File, error) {
	file := s.file
	if file == nil {
		return nil, nil //nolint:nilnil // what is held has no file
	}
	s.file = nil
	_, err := file.Seek(0, io.SeekStart)
	return file, err
}

// Drop forgets what was written and was not taken.
func (s *Spool) Drop() {
	if s != nil && s.file != nil {
		_ = s.file.Close()
	}
}
