// Package site is what the pages for people share, those of the dashboard and of the manual: files with their version in the
// address, and requests as people paste them. It refuses to know what the pages are about.
package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

// File is something that pages load.
type File struct {
	Data    []byte
	Version string // changes with its bytes
}

// Files reads the files that match a pattern, by their paths.
func Files(from fs.FS, pattern string) (map[string]File, error) {
	names, err := fs.Glob(from, pattern)
	if err != nil {
		return nil, err
	}
	all := map[string]File{}
	for _, name := range names {
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		all[name] = File{Data: data, Version: hex.EncodeToString(sum[:6])}
	}
	return all, nil
}

// Serve answers with the file. An address with its version is kept for good.
func (f File) Serve(w http.ResponseWriter, r *http.Request, name string) {
	w.Header().Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == f.Version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(f.Data))
}

// Request is a request to the API, to be shown.
type Request struct {
	Method string // empty: GET, or POST with a body
	URL    string
	Key    string // the variable that holds the key, such as $KEY; empty for none
	Body   string // JSON; empty for none
}

// Curl writes the request as people paste it.
func (r Request) Curl() string {
	var b strings.Builder
	b.WriteString("curl")
	usual := http.MethodGet
	if r.Body != "" {
		usual = http.MethodPost
	}
	if r.Method != "" && r.Method != usual {
		b.WriteString(" -X " + r.Method)
	}
	if r.Key != "" {
		b.WriteString(` -H "Authorization: Bearer ` + r.Key + `"`)
	}
	b.WriteString(" " + Quoted(r.URL))
	if r.Body != "" {
		b.WriteString(" \\\n  --json " + Quoted(r.Body))
	}
	return b.String()
}

// Quoted is a text as a shell reads it.
func Quoted(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// JSON writes a value in which < and > stay as they are; the indent is empty for one line.
func JSON(v any, indent string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}
