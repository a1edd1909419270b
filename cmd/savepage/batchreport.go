package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/savepage/savepage"
)

// Names in the folder of a batch.
const (
	reportName = "report.jsonl"
	unfinished = ".savepage-" // prefix of pictures that are not complete
)

// reportLine is the result of one capture. Of several lines with the same index the last counts.
type reportLine struct {
	Index   int             `json:"index"` // in the list, from 1
	URL     string          `json:"url,omitempty"`
	File    string          `json:"file,omitempty"`
	Status  savepage.State  `json:"status"` // success or failed
	Error   *savepage.Error `json:"error,omitempty"`
	Width   int             `json:"width,omitempty"`  // pixels
	Height  int             `json:"height,omitempty"` // pixels
	Size    int64           `json:"size,omitempty"`   // bytes
	MS      int64           `json:"ms"`
	Options string          `json:"options"` // hash of the options: the page is captured again when it differs
}

// batchReport is the report of a folder, open for one process.
type batchReport struct {
	dir  *os.Root
	file *os.File

	mu    sync.Mutex
	lines map[int]reportLine
}

// openReport makes or opens the folder and its report, and removes what a killed run has left incomplete. restart empties
// the report.
func openReport(dir string, restart bool) (*batchReport, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	r := &batchReport{dir: root, lines: map[int]reportLine{}}
	if err := r.open(dir, restart); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *batchReport) open(dir string, restart bool) (err error) {
	if r.file, err = r.dir.OpenFile(reportName, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644); err != nil {
		return err
	}
	if err := unix.Flock(int(r.file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("%s is in use by another savepage batch (%w)", filepath.Join(dir, reportName), err)
	}
	if restart {
		if err := r.file.Truncate(0); err != nil {
			return err
		}
	}
	if err := r.read(filepath.Join(dir, reportName)); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(dir, unfinished+"*"))
	for _, name := range left {
		err = errors.Join(err, r.dir.Remove(filepath.Base(name)))
	}
	return errors.Join(err, r.syncDir())
}

// read reads the report. It removes an incomplete last line.
func (r *batchReport) read(name string) error {
	text, err := io.ReadAll(r.file)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if whole < len(text) {
		if err := r.file.Truncate(int64(whole)); err != nil {
			return err
		}
	}
	for nth, line := range bytes.Split(bytes.TrimSuffix(text[:whole], []byte("\n")), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var one reportLine
		if err := json.Unmarshal(line, &one); err != nil || one.Index < 1 {
			return fmt.Errorf("%s:%d is not a line of a report: move the file away, or choose another folder", name, nth+1)
		}
		r.lines[one.Index] = one
	}
	return nil
}

// has reports whether the picture of an entry is there already.
func (r *batchReport) has(e batchEntry) bool {
	line, known := r.lines[e.index]
	if !known || line.Status != savepage.Success || line.Options != e.key || line.File != e.file {
		return false
	}
	info, err := r.dir.Lstat(e.file)
	return err == nil && info.Mode().IsRegular() && info.Size() == line.Size
}

// add appends a line durably.
func (r *batchReport) add(line reportLine) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.file.Write(text.Bytes()); err != nil {
		return err
	}
	return r.file.Sync()
}

// store writes a picture durably: under another name first, so that a name always has a complete picture.
func (r *batchReport) store(name string, from io.Reader) (int64, error) {
	temporary := unfinished + name
	file, err := r.dir.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return 0, err
	}
	size, err := io.Copy(file, from)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = r.dir.Rename(temporary, name)
	}
	if err != nil {
		return 0, errors.Join(err, r.dir.Remove(temporary))
	}
	return size, r.syncDir()
}

func (r *batchReport) syncDir() error {
	dir, err := r.dir.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (r *batchReport) close() error {
	var err error
	if r.file != nil {
		err = r.file.Close()
	}
	return errors.Join(err, r.dir.Close())
}
