package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"strings"

	"github.com/savepage/savepage"
)

// pictureName is what names of pictures look like. Nothing else reaches the store.
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

// getPicture answers GET /captures/{name}: no key, because the name can not be guessed.
func (a *API) getPicture(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !pictureName.MatchString(name) {
		a.fail(w, r, nothingHere(r))
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	err := a.sendPicture(w, r, &savepage.Picture{Name: name, Format: formatOf(name)})
	if err == nil {
		return
	}
	w.Header().Del("Cache-Control")
	if errors.Is(err, fs.ErrNotExist) {
		err = nothingHere(r)
	}
	a.fail(w, r, err)
}

// sendPicture sends a stored picture, or a part of it, or says that the client's copy is current. Nothing has been written
// when it returns an error.
func (a *API) sendPicture(w http.ResponseWriter, r *http.Request, p *savepage.Picture) error {
	if p == nil {
		return errors.New("a capture that succeeded has no picture")
	}
	picture, err := a.parts.Open(r.Context(), p.Name)
	if err != nil {
		return fmt.Errorf("open the picture: %w", err)
	}
	defer picture.Close() //nolint:errcheck // it was only read
	stem, _, _ := strings.Cut(p.Name, ".")
	h := w.Header()
	format := p.Format.Info()
	h.Set("Content-Type", format.MediaType)
	shown := "inline"
	if format.Download {
		shown = "attachment" // a browser opens it apart from this origin
	}
	h.Set("Content-Disposition", shown+`; filename="`+p.Name+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Etag", `"`+stem+`"`)
	http.ServeContent(w, r, "", picture.ModTime(), picture)
	return nil
}
