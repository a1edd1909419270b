package keeper

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// What a backup folder holds. The manifest is written last and names the rest.
const (
	manifestFile   = "manifest.json"
	picturesFolder = "pictures"
	recordsPattern = "records-*.db"
)

// manifestFormat is the version of the manifest.
const manifestFormat = 1

// Manifest tells what is in a backup.
type Manifest struct {
	Format    int       `json:"format"`
	Version   string    `json:"savepage_version"`
	Database  string    `json:"database"` // its identity
	Schema    int64     `json:"schema_version"`
	CreatedAt time.Time `json:"created_at"`
	Captures  int       `json:"captures"`
	Bytes     int64     `json:"bytes"`             // of all files
	MasterKey bool      `json:"master_key_needed"` // some secrets can only be read with SAVEPAGE_MASTER_KEY, which is not in the backup
	Missing   []string  `json:"missing,omitempty"` // pictures that captures name and that the store did not have
	Records   File      `json:"records"`
	Pictures  []File    `json:"pictures"`
}

// File is one file of a backup.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// ErrNoBackup says that a folder has no manifest.
var ErrNoBackup = errors.New("there is no manifest.json: this is no backup, or one that was interrupted; run savepage backup again")

// ReadManifest reads the manifest of a backup.
func ReadManifest(dir string) (Manifest, error) {
	var m Manifest
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%s: %w", dir, ErrNoBackup)
	}
	if err != nil {
		return m, fmt.Errorf("read the manifest: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s of %s is damaged: %w", manifestFile, dir, err)
	}
	if m.Format != manifestFormat {
		return m, fmt.Errorf("the backup %s has format %d, and this version reads %d: use the version %s", dir, m.Format, manifestFormat,
			m.Version)
	}
	if m.Records.Name != filepath.Base(m.Records.Name) {
		return m, fmt.Errorf("%s of %s is damaged: the records are in %q", manifestFile, dir, m.Records.Name)
	}
	return m, nil
}

// write puts the manifest in its place when all of it is on disk.
func (m Manifest) write(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	name := filepath.Join(dir, manifestFile)
	file, err := os.OpenFile(name+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	_, err = file.Write(append(text, '\n'))
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(name+".part", name)
	}
	if err == nil {
		err = syncFolder(dir)
	}
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	return nil
}

// syncFolder writes a folder's names to disk.
func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// sum is a reader that takes the size and checksum of what is read through it.
type sum struct {
	from io.Reader
	hash hash.Hash
	size int64
}

func newSum(from io.Reader) *sum { return &sum{from: from, hash: sha256.New()} }

// Read reads on.
func (s *sum) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	s.size += int64(n)
	s.hash.Write(p[:n])
	return n, err
}

// file is what was read, under a name.
func (s *sum) file(name string) File {
	return File{Name: name, Size: s.size, SHA256: hex.EncodeToString(s.hash.Sum(nil))}
}

// checked is a reader that fails at its end when what was read is not the file of the manifest.
type checked struct {
	*sum

	want File
}

func newChecked(from io.Reader, want File) checked { return checked{newSum(from), want} }

// Read reads on.
func (c checked) Read(p []byte) (int, error) {
	n, err := c.sum.Read(p)
	if errors.Is(err, io.EOF) && c.file(c.want.Name) != c.want {
		return n, fmt.Errorf("%s of the backup is damaged: its size or checksum is not the manifest's", c.want.Name)
	}
	return n, err
}
