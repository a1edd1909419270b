package sqlite

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestClosingGivesTheFolderBackAtOnce has another descriptor of the lock stay open, as a child that is being started has.
func TestClosingGivesTheFolderBackAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	inherited, err := unix.Dup(int(lock.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(inherited) }()
	if _, err := lockDir(dir); err == nil {
		t.Error("the folder was taken twice")
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
