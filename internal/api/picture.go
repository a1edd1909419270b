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
	link func(ctx context.Context, name, mediaType, disposition string) (string, error) // nil: there are none
}

// get answers GET /captures/{name}. It needs no key, because the name cannot be guessed.
func (h *pictureHandlers) get(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !pictureName.MatchString(name) {
		h.out.fail(w, r, notFound())
		return
	}
	picture := &savepage.Picture{Name: name, Format: formatOf(name)}
	serve := h.redirect
	if h.link == nil {
		serve = h.send
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	err := serve(w, r, picture)
	if err == nil {
		return
	}
	w.Header().Del("Cache-Control")
	if errors.Is(err, fs.ErrNotExist) {
		err = notFound()
	}
	h.out.fail(w, r, err)
}

// redirect sends who asks to where the picture is stored. The address is good for a time, so the answer is not kept.
func (h *pictureHandlers) redirect(w http.ResponseWriter, r *http.Request, p *savepage.Picture) error {
	address, err := h.link(r.Context(), p.Name, p.Format.Info().MediaType, disposition(p))
	if err != nil {
		return fmt.Errorf("link to the picture: %w", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	http.Redirect(w, r, address, http.StatusFound)
	return nil
}

// disposition is how a browser shows a picture: some formats apart from this origin.
func disposition(p *savepage.Picture) string {
	shown := "inline"
	if p.Format.Info().Download {
		shown = "attachment"
	}
	return shown + `; filename="` + p.Name + `"`
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
	header.Set("Content-Type", p.Format.Info().MediaType)
	header.Set("Content-Disposition", disposition(p))
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("Etag", `"`+stem+`"`)
	http.ServeContent(w, r, "", picture.ModTime(), picture)
	return nil
}
