package browser

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// installed is a folder with a browser's program and links to the files that it needs.
type installed struct{ folder, program string }

func install(t *testing.T) installed {
	t.Helper()
	original, _, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	in := installed{folder: folderForAll(t)}
	in.program = filepath.Join(in.folder, filepath.Base(original))
	files, err := os.ReadDir(filepath.Dir(original))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.Name() == filepath.Base(original) {
			continue
		}
		if err := os.Symlink(filepath.Join(filepath.Dir(original), file.Name()), filepath.Join(in.folder, file.Name())); err != nil {
			t.Fatal(err)
		}
	}
	in.replace(t, original)
	return in
}

// replace puts a copy of another file in the program's place, the way a package manager does.
func (in installed) replace(t *testing.T, with string) {
	t.Helper()
	from, err := os.Open(with)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(in.program+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close(), os.Rename(in.program+".new", in.program)); err != nil {
		t.Fatal(err)
	}
}

// A browser whose program was updated is replaced by one of the new program. The pages in it are not disturbed.
func TestUpdatedProgram(t *testing.T) {
	in := install(t)
	p := pool(t, Config{Path: in.program, Pages: 2, Warm: 1, keepEvery: 20 * time.Millisecond})
	tab := take(t, p)
	old := tab.browser
	mustEvaluate(t, tab, "window.kept = 5", "5")
	in.replace(t, in.program)
	eventually(t, "a second browser", func() bool { return p.Stats().Restarts == 1 })
	next := take(t, p)
	if next.browser == old {
		t.Error("the new page is in the old browser")
	}
	mustEvaluate(t, next, "1", "1")
	mustEvaluate(t, tab, "window.kept", "5")
	still(t, "the old browser was ended with a page in use", tab.Lost())
	tab.Close()
	gone(t, old)
	if _, all := p.Roster(); len(all) != 1 || all[0].Reason != "its program was updated" {
		t.Errorf("the browsers that were replaced are %+v", all)
	}
}

// While the program is missing, or is one that does not start, the browser that runs goes on.
func TestProgramThatDoesNotStart(t *testing.T) {
	in := install(t)
	p := pool(t, Config{Path: in.program, Pages: 1, keepEvery: 20 * time.Millisecond})
	old := take(t, p).browser
	aside := in.program + ".aside"
	if err := os.Rename(in.program, aside); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a look that finds nothing", func() bool { return !seen(p).is(old.program) })
	in.replace(t, "/bin/false")
	retired := func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return old.retired != ""
	}
	eventually(t, "an attempt to replace it", retired)
	if s := p.Stats(); s.Restarts != 0 || s.Browsers != 1 {
		t.Errorf("%+v", s)
	}
	in.replace(t, aside)
	eventually(t, "a second browser", func() bool { return p.Stats().Restarts == 1 })
}

func seen(p *Pool) program {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keeper.seen
}
