package folder_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/blob/blobtest"
	"github.com/savepage/savepage/internal/blob/folder"
)

// childFolder names the folder in which a copy of this test program puts blobs until it is killed.
const childFolder = "BLOB_TEST_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		fmt.Fprintln(os.Stderr, putForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func open(t *testing.T, dir string) *folder.Folder {
	t.Helper()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestFolder(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blobtest.Reopen {
		t.Helper()
		dir := t.TempDir()
		return func(ctx context.Context) (blob.Store, error) { return folder.Kind().Open(ctx, dir) }
	})
}

func TestFolderMakesItsFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "pictures")
	if err := open(t, dir).Put(t.Context(), "abc.png", strings.NewReader("picture")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "ab", "abc.png"))
	if err != nil || string(data) != "picture" {
		t.Errorf("the file holds %q, %v", data, err)
	}
}

// TestFolderIsOpenOnce has a second process, as far as the lock can tell, open a folder that is written to.
func TestFolderIsOpenOnce(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	half := filepath.Join(dir, ".tmp", "half")
	if err := os.WriteFile(half, []byte("half a pic"), 0o600); err != nil {
		t.Fatal(err)
	}
	if second, err := folder.Open(dir); err == nil {
		_ = second.Close()
		t.Fatal("a folder in use was opened")
	} else if !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "another savepage") {
		t.Errorf("the error is %v: want the folder and who uses it", err)
	}
	if _, err := os.Stat(half); err != nil {
		t.Errorf("what the first process is writing is gone: %v", err)
	}
	if err := f.Put(t.Context(), "abc.png", strings.NewReader("picture")); err != nil {
		t.Fatal(err)
	}
	seen, err := folder.Kind().View(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = seen.Close() }()
	if one, err := seen.Open(t.Context(), "abc.png"); err != nil || one.Size() != 7 || one.Close() != nil {
		t.Errorf("a view beside the one who writes: %v", err)
	}
	if _, err := os.Stat(half); err != nil {
		t.Errorf("a view removed what the first process is writing: %v", err)
	}
}

func TestFolderFollowsNoLinkOut(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	f := open(t, dir)
	if err := os.Symlink(outside, filepath.Join(dir, "ab")); err != nil {
		t.Fatal(err)
	}
	if err := f.Put(t.Context(), "abc.png", strings.NewReader("picture")); err == nil {
		t.Error("a link out of the folder was followed")
	}
	if files, _ := filepath.Glob(filepath.Join(outside, "*")); len(files) != 0 {
		t.Errorf("found %q outside", files)
	}
}

// TestFolderSurvivesKill kills a process in the middle of its puts. What it reported as stored is there, what is visible
// is whole, and nothing half written stays.
func TestFolderSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	for round := range 5 {
		for _, key := range putUntilKilled(t, dir, 15+round*10) {
			mustBeWhole(t, dir, key)
		}
	}
	f := open(t, dir)
	if left, _ := os.ReadDir(filepath.Join(dir, ".tmp")); len(left) != 0 {
		t.Errorf("%d unfinished files are left", len(left))
	}
	for key, err := range f.Keys(t.Context(), time.Now().Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		mustBeWhole(t, dir, key)
	}
}

// putUntilKilled lets a child put blobs, kills it after it reported count of them, and returns the reported keys.
func putUntilKilled(t *testing.T, dir string, count int) []string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childFolder+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var stored []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		stored = append(stored, lines.Text())
		if len(stored) == count {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || len(stored) < count {
		t.Fatalf("the child ended by itself after %d blobs: %v", len(stored), err)
	}
	return stored
}

// putForever puts sealed blobs from several goroutines and reports each key after it is stored.
func putForever(dir string) error {
	f, err := folder.Open(dir)
	if err != nil {
		return err
	}
	stored, failed := make(chan string), make(chan error)
	for worker := range 3 {
		go func() {
			for n := 0; ; n++ {
				key := fmt.Sprintf("%02x-%d-%d-%d.png", n*37%256, os.Getpid(), worker, n)
				if err := f.Put(context.Background(), key, bytes.NewReader(blobtest.Sealed(200_000+n))); err != nil {
					failed <- err
					return
				}
				stored <- key
			}
		}()
	}
	for {
		select {
		case key := <-stored:
			fmt.Println(key)
		case err := <-failed:
			return err
		}
	}
}

func mustBeWhole(t *testing.T, dir, key string) {
	t.Helper()
	if strings.ContainsAny(key, "/\\") {
		t.Fatalf("key %q", key)
	}
	data, err := os.ReadFile(filepath.Join(dir, key[:2], key))
	if err != nil {
		t.Fatal(err)
	}
	if !blobtest.Whole(data) {
		t.Errorf("%s is not whole: %d bytes", key, len(data))
	}
}

// TestShare has several open a folder together, and one alone.
func TestShare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	alone, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Share(dir); err == nil {
		t.Error("shared with one that has it alone")
	}
	if err := alone.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := folder.Share(dir)
	if err != nil {
		t.Fatal(err)
	}
	reading, writing := io.Pipe()
	stored := make(chan error, 1)
	go func() { stored <- a.Put(t.Context(), "abc", reading) }()
	if _, err := writing.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	b, err := folder.Share(dir) // removes nothing of what the other is writing
	if err != nil {
		t.Fatal(err)
	}
	if err := writing.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-stored; err != nil {
		t.Error(err)
	}
	found, err := b.Open(t.Context(), "abc")
	if err != nil {
		t.Fatal(err)
	}
	if found.Size() != 4 {
		t.Errorf("%d bytes", found.Size())
	}
	if err := errors.Join(found.Close(), a.Close()); err != nil {
		t.Error(err)
	}
	if _, err := folder.Open(dir); err == nil {
		t.Error("opened alone beside one that shares it")
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestTidy removes what was written half long ago in a folder that others share, who may be writing now.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	f, err := folder.Share(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	now := time.Now()
	for name, at := range map[string]time.Time{"OLD": now.Add(-2 * time.Hour), "NEW": now} {
		half := filepath.Join(dir, ".tmp", name)
		if err := errors.Join(os.WriteFile(half, []byte("half"), 0o600), os.Chtimes(half, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := f.Tidy(t.Context(), now.Add(-time.Hour), nil); n != 1 || err != nil {
		t.Errorf("%d were removed, %v, want 1", n, err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, ".tmp")); len(left) != 1 || left[0].Name() != "NEW" {
		t.Errorf("left are %v", left)
	}
}
