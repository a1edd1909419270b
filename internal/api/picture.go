package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"strings"

	"github.com/savepage/savepage"
)

// pictureName matches the names of pictures. No other name reaches the store.
var pictureName = regexp.MustCompile(`^[A-Za-z0-9]{22,64}\.(` + strings.Join(extensions(), "|") + `)$`)

func extensions() []string {
	var all []string
	for _, row := range savepage.Formats() {
		all = append(all, row.Extension)
	}
	return all
}

// formatOf is the format of a picture's file name.
func formatOf(name string) savepage.Format {
	_, extension, _ := strings.Cut(name, ".")
	for _, row := range savepage.Formats() {
		if row.Extension == extension {
			return row.Format
		}
	}
	return ""
}

// pictureHandlers serve stored pictures.
type pictureHandlers struct {
	out  responder
	open func(ctx context.Context, name string) (Picture, error)
}

// get answers GET /captures/{name}. It needs no key, because the name cannot be guessed.
func (h *pictureHandlers) get(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !pictureName.MatchString(name) {
		h.out.fail(w, r, notFound())
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	err := h.send(w, r, &savepage.Picture{Name: name, Format: formatOf(name)})
	if err == nil {
		return
	}
	w.Header().Del("Cache-Control")
	if errors.Is(err, fs.ErrNotExist) {
		err = notFound()
	}
	h.out.fail(w, r, err)
}

// send sends a stored picture, or a part of it, or 304. Nothing has been written when it returns an error.
func (h *pictureHandlers) send(w http.ResponseWriter, r *http.Request, p *savepage.Picture) error {
	if p == nil {
		return errors.New("a capture that succeeded has no picture")
	}
	picture, err := h.open(r.Context(), p.Name)
	if err != nil {
		return fmt.Errorf("open the picture: %w", err)
	}
	defer picture.Close() //nolint:errcheck // it was only read
	stem, _, _ := strings.Cut(p.Name, ".")
	header := w.Header()
	format := p.Format.Info()
	header.Set("Content-Type", format.MediaType)
	shown := "inline"
	if format.Download {
		shown = "attachment" // a browser opens it apart from this origin
	}
	header.Set("Content-Disposition", shown+`; filename="`+p.Name+`"`)
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("Etag", `"`+stem+`"`)
	http.ServeContent(w, r, "", picture.ModTime(), picture)
	return nil
}
