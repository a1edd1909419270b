package page

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// spool takes the bytes of a picture: in memory up to a size, and in a file without a name from there on.
type spool struct {
	dir  string // of the file
	most int    // bytes in memory
	held bytes.Buffer
	file *os.File
}

func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && s.held.Len()+len(p) > s.most {
		if err := s.spill(); err != nil {
			return 0, err
		}
	}
	if s.file != nil {
		return s.file.Write(p)
	}
	return s.held.Write(p)
}

// spill moves what is held to a file. It has no name any more: nothing is left of it, whatever happens.
func (s *spool) spill() error {
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

// start is the beginning of what was written, at least the header of a picture.
func (s *spool) start() ([]byte, error) {
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

// all reads what was written into memory.
func (s *spool) all() ([]byte, error) {
	if s.file == nil {
		return s.held.Bytes(), nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(s.file)
}

// take hands the file over, if there is one.
func (s *spool) take() (*os.File, error) {
	file := s.file
	if file == nil {
		return nil, nil //nolint:nilnil // what is held has no file
	}
	s.file = nil
	_, err := file.Seek(0, io.SeekStart)
	return file, err
}

// drop forgets what was written and was not taken.
func (s *spool) drop() {
	if s != nil && s.file != nil {
		_ = s.file.Close()
	}
}
