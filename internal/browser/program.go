package browser

import (
	"os"
	"time"
)

// program is the file that browsers are started from, as it was at one moment. The zero program is none.
type program struct {
	path string
	info os.FileInfo
}

// findProgram looks for the program that a path names, or for the best one of this machine where it is empty.
func findProgram(named string) (program, error) {
	path, err := locate(named)
	if err != nil {
		return program{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return program{}, err
	}
	return program{path: path, info: info}, nil
}

// is reports whether two looks found the same file with nothing written to it in between.
func (p program) is(other program) bool {
	return p.info != nil && other.info != nil && p.path == other.path && os.SameFile(p.info, other.info) &&
		p.info.Size() == other.info.Size() && p.info.ModTime().Equal(other.info.ModTime())
}

// keepEvery is how often a browser's age and its program's file are looked at: an update has replaced all of its files when two
// looks find the same new one.
const keepEvery = 10 * time.Second

// updated looks at the program's file. Where it is another one than that of the current browser, and was that at the last look
// too, the browser is retired: it goes on with what it has, and the next one is started from the new file.
func (k *keeper) updated() {
	p := k.pool
	if p.cfg.alone {
		return // it ends with its page
	}
	now, err := findProgram(p.cfg.Path)
	if err != nil {
		now = program{} // an update is under way, or it was removed: what runs goes on
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.current; b != nil && now.is(k.seen) && !now.is(b.program) {
		p.retire(b, "its program was updated")
	}
	k.seen = now
}
