package capture

import (
	"strings"
	"sync"

	"github.com/savepage/savepage"
)

// randomChars is how many characters of a picture's name are random.
const randomChars = 32

// IsPictureName reports whether a picture may have the name.
func IsPictureName(name string) bool {
	random, extension, found := strings.Cut(name, ".")
	if !found || len(random) != randomChars || extension == "" || len(extension) > 5 {
		return false
	}
	if _, err := crockford.DecodeString(random); err != nil {
		return false
	}
	return strings.Trim(extension, "abcdefghijklmnopqrstuvwxyz") == ""
}

// making is the names of pictures that are stored, or about to be, and not recorded yet.
type making struct {
	mu    sync.Mutex
	names map[string]bool
}

// begin notes the name until end is called.
func (m *making) begin(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names == nil {
		m.names = map[string]bool{}
	}
	m.names[name] = true
}

// end forgets the name of a picture; none is nothing to forget.
func (m *making) end(p *savepage.Picture) {
	if p == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.names, p.Name)
}

// Making reports whether a picture of this name is about to be recorded.
func (s *Service) Making(name string) bool {
	s.making.mu.Lock()
	defer s.making.mu.Unlock()
	return s.making.names[name]
}
