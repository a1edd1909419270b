package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

// batchEntry is one capture of a list.
type batchEntry struct {
	index   int // from 1, in the order of the list
	options savepage.Options
	key     string // names the options
	file    string // of the picture, without a folder
}

// maxLine is the length of a line of a list in bytes: it may hold a document.
const maxLine = 4 << 20

// readBatchFile reads and checks a whole list before anything is done.
func readBatchFile(name string, given map[string][]string, stdin io.Reader) ([]batchEntry, error) {
	common, err := api.NewCommon(given)
	if err != nil {
		return nil, asFlags(err)
	}
	file, err := openList(name, stdin)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	r := listReader{name: name, common: common}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		r.read(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, r.line+1, err)
	}
	return r.list, r.err()
}

type listReader struct {
	name   string
	common api.Common
	line   int
	list   []batchEntry
	wrong  []string
}

func (r *listReader) read(raw []byte) {
	if r.line++; r.line == 1 {
		raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	}
	text := strings.TrimSpace(string(raw))
	if text == "" || strings.HasPrefix(text, "#") {
		return
	}
	if !strings.HasPrefix(text, "{") {
		text = withScheme(text)
	}
	options, err := r.common.Row(text)
	if err != nil {
		r.complain(err)
		return
	}
	canonical, err := json.Marshal(options)
	if err != nil {
		r.complain(err)
		return
	}
	digest := sha256.Sum256(canonical)
	index := len(r.list) + 1
	r.list = append(r.list, batchEntry{index: index, options: options, key: hex.EncodeToString(digest[:12]), file: fileName(index, options)})
}

func (r *listReader) complain(err error) {
	fault, known := errors.AsType[*savepage.Error](err)
	if !known || len(fault.Fields) == 0 {
		if known {
			err = errors.New(fault.Message)
		}
		r.wrong = append(r.wrong, fmt.Sprintf("%s:%d: %s", r.name, r.line, err))
		return
	}
	for _, field := range fault.Fields {
		r.wrong = append(r.wrong, fmt.Sprintf("%s:%d: %s", r.name, r.line, field))
	}
}

func (r *listReader) err() error {
	switch more := len(r.wrong) - maxListed; {
	case more > 0:
		return fmt.Errorf("the list has errors:\n  %s\n  and %d more", strings.Join(r.wrong[:maxListed], "\n  "), more)
	case len(r.wrong) > 0:
		return fmt.Errorf("the list has errors:\n  %s", strings.Join(r.wrong, "\n  "))
	case len(r.list) == 0:
		return fmt.Errorf("%s lists no page", r.name)
	default:
		return nil
	}
}

// maxSlug is how many bytes of a page's address its file name may hold.
const maxSlug = 80

// fileName names a picture after its index in the list, which no two share, and its page. It begins with a digit and has
// only letters, digits, dots and dashes.
func fileName(index int, o savepage.Options) string {
	slug := "document"
	if u, err := url.Parse(o.URL); err == nil && o.URL != "" {
		slug = plainSlug(u.Host + u.Path)
	}
	return fmt.Sprintf("%04d-%s.%s", index, slug, o.Format.Extension())
}

func plainSlug(address string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(address) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case strings.HasSuffix(b.String(), "-") || strings.HasSuffix(b.String(), "."): // never two of them
		case c == '.':
			b.WriteByte('.')
		default:
			b.WriteByte('-')
		}
		if b.Len() >= maxSlug {
			break
		}
	}
	slug := strings.Trim(b.String(), "-.")
	if slug == "" {
		return "page"
	}
	return slug
}
