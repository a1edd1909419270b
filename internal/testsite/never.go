package testsite

import (
	"fmt"
	"net/http"
	"strings"
)

// never are answers that do not end, or lead on.
type never struct{ *Site }

// held answers at once who knows nothing yet, and never who does.
func (s never) held(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Query().Get("since"), "a0") {
		answer(w, map[string]string{"value": "arrived"})
		return
	}
	s.hang(w, r)
}

// flow sends the beginning of an answer of a type and never the rest.
func (s never) flow(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", r.URL.Query().Get("type"))
	_, _ = fmt.Fprint(w, "data: arrived\n\n")
	_ = http.NewResponseController(w).Flush()
	s.hang(w, r)
}

// half sends the beginning of a style sheet and never the rest.
func (s never) half(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/css")
	_, _ = fmt.Fprint(w, "p { color: black }\n")
	_ = http.NewResponseController(w).Flush()
	s.hang(w, r)
}

// refresh serves the page /a, which its header sends on to another after a second.
func (s never) refresh(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Refresh", "1; url="+r.URL.Query().Get("to"))
	s.write(w, r, "a", http.StatusOK)
}
