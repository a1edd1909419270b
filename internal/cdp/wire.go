package cdp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/page"
)

const (
	maxAnswer  = 256 << 20 // bytes of one answer; a picture beyond it is refused before it is asked for
	maxEvent   = 16 << 20  // bytes of one event, such as what a page writes to the console; a piece more may pass
	readBytes  = 64 << 10  // a pipe's usual capacity: one read empties it
	spillBytes = 1 << 20   // bytes of each further piece of a long message
	endBytes   = 4 << 10   // bytes that are kept of either end of a message that is too long
)

var errSyntax = errors.New("broken JSON")

// splitter cuts a stream into messages that end with a zero byte.
type splitter struct {
	from   io.Reader
	buf    []byte
	unread []byte   // part of buf that was read and not yet returned
	pieces [][]byte // beginning of a message that is longer than a buffer
	length int      // bytes in pieces
	long   bool     // the message is too long: pieces are its two ends
	passed int      // bytes of the last message that was too long

	maxAnswer, maxEvent int
}

func newSplitter(from io.Reader) *splitter {
	return &splitter{from: from, buf: make([]byte, readBytes), maxAnswer: maxAnswer, maxEvent: maxEvent}
}

// next returns one message, without its end. The bytes belong to the caller. Of a message that is too long they are not the
// whole, but its first and last ones.
func (s *splitter) next() (text []byte, whole bool, err error) {
	searched := 0
	for {
		if at := bytes.IndexByte(s.unread[searched:], 0); at >= 0 {
			text, whole = s.cut(searched + at)
			return text, whole, nil
		}
		searched = len(s.unread)
		if s.full() {
			s.spill()
			searched = 0
		}
		if err := s.fill(); err != nil {
			return nil, false, err
		}
	}
}

// cut returns what came before the end at the given offset of unread.
func (s *splitter) cut(at int) (text []byte, whole bool) {
	text, whole = slices.Concat(append(s.pieces, s.unread[:at])...), !s.long
	if s.long {
		s.passed = s.length + at
	}
	s.unread = s.unread[at+1:]
	s.pieces, s.length, s.long = nil, 0, false
	return text, whole
}

// free is the part of buf behind unread.
func (s *splitter) free() []byte { return s.unread[len(s.unread):cap(s.unread)] }

// full reports whether unread is a whole buffer. A shorter rest is moved to the front instead.
func (s *splitter) full() bool { return len(s.unread) == len(s.buf) }

// spill puts the whole buffer aside and goes on in a fresh, larger one: no byte is copied before the message is complete.
func (s *splitter) spill() {
	s.pieces = append(s.pieces, s.unread)
	s.length += len(s.unread)
	if s.length > s.most() {
		s.long = true
	}
	if s.long {
		s.keepEnds()
	} else {
		s.buf = make([]byte, spillBytes)
	}
	s.unread = s.buf[:0]
}

// most is how long the message may be whose first piece is there.
func (s *splitter) most() int {
	if bytes.HasPrefix(s.pieces[0], []byte(`{"id":`)) {
		return s.maxAnswer
	}
	return s.maxEvent
}

// keepEnds forgets all but the first and the last bytes of what was read of a message.
func (s *splitter) keepEnds() {
	first, last := s.pieces[0], s.pieces[len(s.pieces)-1]
	s.pieces = [][]byte{slices.Clone(first[:min(len(first), endBytes)]), slices.Clone(last[max(0, len(last)-endBytes):])}
}

func (s *splitter) fill() error {
	if len(s.unread) == 0 || len(s.free()) == 0 {
		s.unread = s.buf[:copy(s.buf, s.unread)]
	}
	n, err := s.from.Read(s.free())
	s.unread = s.unread[:len(s.unread)+n]
	if n > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) && s.length+len(s.unread) > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// envelope is the outside of a message. Its slices lie in the message.
type envelope struct {
	hasID   bool
	id      int64
	session []byte
	method  []byte
	params  json.RawMessage
	result  json.RawMessage
	fault   json.RawMessage // the member "error"
	long    bool            // it was too long, and passed over
}

// parse finds the members of a message without looking into their values: those are checked when they are decoded. A
// long picture is passed over at the speed of a search for its end.
func parse(message []byte) (envelope, error) {
	var m envelope
	at := space(message, 0)
	if at >= len(message) || message[at] != '{' {
		return m, errSyntax
	}
	at = space(message, at+1)
	if at < len(message) && message[at] == '}' {
		return m, nil
	}
	for {
		name, value, next, err := member(message, at)
		if err != nil {
			return m, err
		}
		if err := m.set(name, value); err != nil {
			return m, err
		}
		at = space(message, next)
		switch {
		case at < len(message) && message[at] == ',':
			at = space(message, at+1)
		case at < len(message) && message[at] == '}':
			return m, nil
		default:
			return m, errSyntax
		}
	}
}

// parseEnds finds whose message it is of which only the ends are known. Text that a page has written cannot pass for the last
// member: its quotes are escaped.
func parseEnds(text []byte) envelope {
	var m envelope
	if rest, is := bytes.CutPrefix(text, []byte(`{"id":`)); is {
		digits := rest[:max(0, bytes.IndexByte(rest, ','))]
		id, err := strconv.ParseInt(string(digits), 10, 64)
		m.hasID, m.id = err == nil, id
	} else {
		rest, _ := bytes.CutPrefix(text, []byte(`{"method":"`))
		m.method, _, _ = bytes.Cut(rest[:min(len(rest), endBytes)], []byte{'"'})
	}
	const name = `,"sessionId":"`
	if at := bytes.LastIndex(text, []byte(name)); at >= 0 {
		id, end, found := bytes.Cut(text[at+len(name):], []byte{'"'})
		if found && string(end) == "}" {
			m.session = id
		}
	}
	return m
}

// set keeps a member of the message. Unknown ones are passed over.
func (m *envelope) set(name, value []byte) error {
	switch string(name) {
	case `"id"`:
		id, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil {
			return fmt.Errorf("id: %w", errSyntax)
		}
		m.hasID, m.id = true, id
	case `"sessionId"`:
		m.session = bytes.Trim(value, `"`)
	case `"method"`:
		m.method = bytes.Trim(value, `"`)
	case `"params"`:
		m.params = value
	case `"result"`:
		m.result = value
	case `"error"`:
		m.fault = value
	}
	return nil
}

// member returns the name, with its quotes, and the value of the member at an offset, and the offset behind it.
func member(b []byte, at int) (name, value []byte, next int, err error) {
	end := skip(b, at)
	if end < 0 || b[at] != '"' {
		return nil, nil, 0, errSyntax
	}
	colon := space(b, end)
	if colon >= len(b) || b[colon] != ':' {
		return nil, nil, 0, errSyntax
	}
	start := space(b, colon+1)
	next = skip(b, start)
	if next < 0 {
		return nil, nil, 0, errSyntax
	}
	return b[at:end], b[start:next], next, nil
}

func space(b []byte, at int) int {
	for at < len(b) && (b[at] == ' ' || b[at] == '\t' || b[at] == '\n' || b[at] == '\r') {
		at++
	}
	return at
}

// skip returns the offset behind the value at an offset, or -1.
func skip(b []byte, at int) int {
	if at >= len(b) {
		return -1
	}
	switch b[at] {
	case '"':
		return skipString(b, at)
	case '{', '[':
		return skipNested(b, at)
	}
	end := at
	for end < len(b) && !bytes.ContainsRune([]byte(",:]} \t\r\n\""), rune(b[end])) {
		end++
	}
	if end == at {
		return -1
	}
	return end
}

// skipString looks for the closing quote, which has an even number of backslashes before it.
func skipString(b []byte, at int) int {
	for end := at + 1; ; {
		quote := bytes.IndexByte(b[end:], '"')
		if quote < 0 {
			return -1
		}
		quote += end
		slashes := quote
		for slashes > end && b[slashes-1] == '\\' {
			slashes--
		}
		end = quote + 1
		if (quote-slashes)%2 == 0 {
			return end
		}
	}
}

func skipNested(b []byte, at int) int {
	depth := 0
	for at < len(b) {
		switch b[at] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return at + 1
			}
		case '"':
			if at = skipString(b, at); at < 0 {
				return -1
			}
			continue
		}
		at++
	}
	return -1
}

// decode reads a value into res. A picture is taken by a way of its own, because decoding tens of megabytes as JSON costs
// several times the picture in memory.
func decode(value json.RawMessage, res any) error {
	switch res := res.(type) {
	case nil:
		return nil
	case *json.RawMessage:
		*res = value
		return nil
	case *page.CaptureScreenshotResult:
		if text, ok := picture(value); ok {
			n, err := base64.StdEncoding.Decode(text, text)
			res.Data = text[:n:n]
			return err
		}
	}
	// Chromium sends page titles and console texts as they are, unpaired surrogates included.
	return jsonv2.Unmarshal(value, res, jsonv2.AllowInvalidUTF8(true))
}

// Decode reads an event's parameters into res, a pointer to one of cdproto's types.
func Decode(params json.RawMessage, res any) error { return decode(params, res) }

// picture finds the text of {"data":"…"}. It reports false for any other form.
func picture(result json.RawMessage) ([]byte, bool) {
	open := bytes.IndexByte(result, '{')
	if open < 0 {
		return nil, false
	}
	name, value, next, err := member(result, space(result, open+1))
	if err != nil || string(name) != `"data"` || len(value) < 2 || value[0] != '"' {
		return nil, false
	}
	if rest := bytes.TrimSpace(result[next:]); string(rest) != "}" {
		return nil, false
	}
	text := value[1 : len(value)-1]
	return text, bytes.IndexByte(text, '\\') < 0
}

func decodeFault(fault json.RawMessage) error {
	var e struct {
		Code    int64  `json:"code"`
		Message string `json:"message"`
		Data    any    `json:"data"`
	}
	if err := decode(fault, &e); err != nil {
		return fmt.Errorf("decode error: %w", err)
	}
	if text, ok := e.Data.(string); ok && text != "" {
		e.Message += ": " + text
	}
	return &Error{Code: e.Code, Message: e.Message}
}
