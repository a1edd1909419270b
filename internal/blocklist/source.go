package blocklist

import (
	"bytes"
	"compress/gzip"
	_ "embed" // for the lists
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

//go:embed data/easylist.txt.gz
var easylist []byte

//go:embed data/easyprivacy.txt.gz
var easyprivacy []byte

//go:embed data/chats.txt
var chats string

//go:embed data/cookies.css
var cookies string

// CookieCSS is a style sheet that hides cookie banners.
func CookieCSS() string { return cookies }

// CookieSelectors are the selectors of CookieCSS one by one, but for those that can match only where another one does.
func CookieSelectors() []string {
	text := regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(cookies, "")
	_, text, _ = strings.Cut(text, "{") // of the layer
	var all []string
	for {
		list, rest, more := strings.Cut(text, "{")
		if !more {
			return all
		}
		for _, one := range split(list) {
			if !strings.HasPrefix(one, "html:has(") {
				all = append(all, one)
			}
		}
		_, text, _ = strings.Cut(rest, "}")
	}
}

// split cuts a list of selectors at its commas.
func split(list string) []string {
	var all []string
	from := 0
	for i, c := range []byte(outside(list) + ",") {
		if c == ',' {
			all = append(all, strings.TrimSpace(list[from:i]))
			from = i + 1
		}
	}
	return all
}

// FileNames are the lists that a folder may have, in place of the embedded ones: EasyList, EasyPrivacy and our own.
func FileNames() []string { return []string{"easylist.txt", "easyprivacy.txt", "chats.txt"} }

const (
	lookAgain   = time.Minute // after which the folder is looked at again
	maxFileSize = 64 << 20    // bytes of a list
)

// Source has the lists in use: the embedded ones, and in place of them those of the operator's folder. It is safe for
// concurrent use.
type Source struct {
	folder string
	log    *slog.Logger
	again  time.Duration

	mu     sync.Mutex
	lists  *Lists
	looked time.Time
	seen   map[string]stamp // files as they were when they were read
}

// stamp shows whether a file has changed.
type stamp struct {
	size int64
	at   time.Time
}

// NewSource returns the source of a folder; without one it has the embedded lists.
func NewSource(folder string, log *slog.Logger) *Source {
	return &Source{folder: folder, log: log, again: lookAgain, seen: map[string]stamp{}}
}

// Lists returns the lists. The first call reads them, which takes about a tenth of a second and 15 MB. The folder is
// looked at again when a minute has passed: a file that is new or has changed is taken if it is good, and else the list
// stays that was there. An error means that the program itself is broken.
func (s *Source) Lists() (*Lists, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lists == nil {
		embedded, err := load()
		if err != nil {
			return nil, err
		}
		s.lists = embedded
	} else if s.folder == "" || time.Since(s.looked) < s.again {
		return s.lists, nil
	}
	if s.folder != "" {
		s.look()
	}
	s.looked = time.Now()
	return s.lists, nil
}

// look reads the files of the folder that have changed.
func (s *Source) look() {
	next := *s.lists
	for i, into := range []**list{&next.ads, &next.trackers, &next.chats} {
		path := filepath.Join(s.folder, FileNames()[i])
		taken, err := s.take(path, *into)
		switch {
		case err != nil:
			s.log.Warn("filter list not taken", "file", path, "error", err)
		case taken != nil:
			*into = taken
			s.log.Info("filter list taken", "file", path, "rules", taken.stats.Rules, "hiding", taken.stats.Hiding, "left_out",
				taken.stats.Unneeded+taken.stats.Unsupported)
		}
	}
	s.lists = &next
}

// take reads a file that is new or has changed; nil when it has not, or is not there. One that has less than half of the
// rules of the list that it would replace was cut off on its way.
func (s *Source) take(path string, old *list) (*list, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // an unchanged file is not an error
	}
	if err != nil {
		return nil, err
	}
	now := stamp{info.Size(), info.ModTime()}
	if s.seen[path] == now {
		return nil, nil //nolint:nilnil // an unchanged file is not an error
	}
	s.seen[path] = now
	if info.Size() > maxFileSize {
		return nil, fmt.Errorf("it has %d bytes, more than %d", info.Size(), maxFileSize)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	read, err := parse(string(text))
	if err != nil {
		return nil, err
	}
	if n, m := read.stats.Rules+read.stats.Hiding, old.stats.Rules+old.stats.Hiding; n < m/2 {
		return nil, fmt.Errorf("it has %d rules, less than half of the %d in use", n, m)
	}
	read.name = old.name
	return read, nil
}

// load reads the embedded lists.
func load() (*Lists, error) {
	l := &Lists{}
	for _, one := range []struct {
		name string
		gz   []byte
		text string
		into **list
	}{{"ads", easylist, "", &l.ads}, {"trackers", easyprivacy, "", &l.trackers}, {"chats", nil, chats, &l.chats}} {
		text := one.text
		if one.gz != nil {
			var err error
			if text, err = unpack(one.gz); err != nil {
				return nil, fmt.Errorf("unpack the list of %s: %w", one.name, err)
			}
		}
		read, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("read the list of %s: %w", one.name, err)
		}
		read.name = one.name
		*one.into = read
	}
	return l, nil
}

func unpack(packed []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", fmt.Errorf("read gzip: %w", err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("read gzip: %w", err)
	}
	return string(text), nil
}
