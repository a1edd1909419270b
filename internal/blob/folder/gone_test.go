package folder_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/savepage/savepage/internal/blob/folder"
)

// gone is a store with one blob whose folder a test takes away.
type gone struct {
	*folder.Folder
	t   *testing.T
	dir string
}

func newGone(t *testing.T) gone {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pictures")
	g := gone{open(t, dir), t, dir}
	g.works("first.png")
	return g
}

func (g gone) put(key string) error { return g.Put(g.t.Context(), key, strings.NewReader("picture")) }

// works expects that the store is ready, and that a blob can be put and read.
func (g gone) works(key string) {
	g.t.Helper()
	if err := errors.Join(g.Ready(g.t.Context()), g.put(key)); err != nil {
		g.t.Fatal(err)
	}
	g.has(key)
}

func (g gone) has(key string) {
	g.t.Helper()
	file, err := g.Open(g.t.Context(), key)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		g.t.Error(err)
	}
}

// refuses expects that nothing can be put, and that a blob that was there is not called unknown.
func (g gone) refuses() {
	g.t.Helper()
	_, open := g.Open(g.t.Context(), "other.png")
	for what, err := range map[string]error{"put": g.put("second.png"), "delete": g.Delete(g.t.Context(), "first.png"), "open": open} {
		if err == nil || errors.Is(err, fs.ErrNotExist) && what == "open" {
			g.t.Errorf("%s in a folder that is not there: %v", what, err)
		}
	}
}

func (g gone) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// TestFolderIsDeleted makes a folder anew that was deleted under the open store.
func TestFolderIsDeleted(t *testing.T) {
	g := newGone(t)
	g.must(os.RemoveAll(g.dir))
	g.refuses()
	g.works("second.png")
	if _, err := g.Open(t.Context(), "first.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was deleted: %v", err)
	}
}

// TestFolderIsMovedAway waits for the folder until it is back.
func TestFolderIsMovedAway(t *testing.T) {
	g := newGone(t)
	g.must(os.Rename(g.dir, g.dir+".away"))
	g.refuses()
	if err := g.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be found") {
		t.Errorf("ready without a folder: %v", err)
	}
	if _, err := os.Stat(g.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was made in the place of the one that was moved: %v", err)
	}
	g.must(os.Rename(g.dir+".away", g.dir))
	g.has("first.png")
	g.works("second.png")
}

// TestFolderIsReplaced uses the folder that has come in the place of the open one, as a mounted disk does.
func TestFolderIsReplaced(t *testing.T) {
	g := newGone(t)
	other := filepath.Join(t.TempDir(), "other")
	store, err := folder.Open(other)
	g.must(err)
	g.must(errors.Join(store.Put(t.Context(), "file.png", strings.NewReader("x")), store.Close()))
	g.must(os.Rename(g.dir, g.dir+".away"))
	g.must(os.Rename(other, g.dir))
	g.refuses()
	g.works("second.png")
	g.has("file.png")
}

// TestFolderIsEmptied keeps working when somebody removes the subfolders.
func TestFolderIsEmptied(t *testing.T) {
	g := newGone(t)
	entries, err := os.ReadDir(g.dir)
	g.must(err)
	for _, e := range entries {
		g.must(os.RemoveAll(filepath.Join(g.dir, e.Name())))
	}
	if err := g.put("first.png"); err == nil {
		t.Error("put without the folder of unfinished blobs")
	}
	g.must(g.Ready(t.Context()))
	if g.put("first.png") != nil { // the store believes that the subfolder is there
		g.works("first.png")
	}
}
