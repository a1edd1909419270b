package browser

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A folder has the second prefix until it is locked, and the first from then on: a folder with the first prefix and without
// a lock has been abandoned.
const (
	folderPrefix   = "savepage-browser-"
	unlockedPrefix = "savepage-browser.new-"
)

// folder is a browser's own folder on disk: profile, temporary files, home. An advisory lock on it shows that its service
// lives.
type folder struct {
	path string
	lock *os.File
}

// newFolder makes a folder that only its owner can enter. A uid below 0 leaves it to the service's own user.
func newFolder(tempDir string, uid int) (*folder, error) {
	path, err := os.MkdirTemp(tempDir, unlockedPrefix)
	if err != nil {
		return nil, fmt.Errorf("make the browser's folder: %w", err)
	}
	f := &folder{path: path}
	if err := f.prepare(uid); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the browser's folder: %w", err), f.remove())
	}
	return f, nil
}

// prepare gives the folder its name once it is locked, and fills it.
func (f *folder) prepare(uid int) (err error) {
	if f.lock, err = os.Open(f.path); err != nil {
		return err
	}
	if err := lock(f.lock); err != nil {
		return err
	}
	random := strings.TrimPrefix(filepath.Base(f.path), unlockedPrefix)
	named := filepath.Join(filepath.Dir(f.path), folderPrefix+strconv.Itoa(os.Getpid())+"-"+random)
	if err := os.Rename(f.path, named); err != nil {
		return err
	}
	f.path = named
	paths := []string{filepath.Join(f.path, "tmp"), filepath.Join(f.path, "run")}
	for _, path := range paths {
		if err := os.Mkdir(path, 0o700); err != nil {
			return err
		}
	}
	if uid < 0 {
		return nil
	}
	for _, path := range append(paths, f.path) {
		if err := os.Chown(path, uid, uid); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) remove() error {
	err := os.RemoveAll(f.path)
	if f.lock != nil {
		_ = f.lock.Close()
	}
	return err
}

// sweep removes the folders of services that have died without doing so, and ends browsers that still use one.
func sweep(tempDir string, log *slog.Logger) {
	left, err := filepath.Glob(filepath.Join(tempDir, "savepage-browser*"))
	if err != nil {
		log.Warn("look for left-over browser folders", "error", err)
		return
	}
	for _, path := range left {
		if !abandoned(path) {
			continue
		}
		killUsersOf(path)
		if err := os.RemoveAll(path); err != nil {
			log.Warn("remove left-over browser folder", "folder", path, "error", err)
			continue
		}
		log.Info("removed left-over browser folder", "folder", path)
	}
}

// unlockedFor is how old a folder must be that has not been locked before its service is taken to have died meanwhile.
const unlockedFor = 10 * time.Second

// abandoned reports whether a folder's service has died: it no longer holds the lock. Process ids say nothing about that:
// the service may live in another pid namespace.
func abandoned(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	name := filepath.Base(path)
	if strings.HasPrefix(name, unlockedPrefix) {
		return time.Since(info.ModTime()) > unlockedFor && !locked(path)
	}
	pid, _, found := strings.Cut(strings.TrimPrefix(name, folderPrefix), "-")
	owner, err := strconv.Atoi(pid)
	return err == nil && found && owner > 0 && !locked(path)
}

// reachable returns an error that names the first folder on the way to path which another user cannot pass.
func reachable(path string) error {
	for dir := path; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && info.Mode().Perm()&0o001 == 0 {
			return fmt.Errorf("%s is closed to the browser's own user: run chmod o+x on it, or use another folder", dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}
