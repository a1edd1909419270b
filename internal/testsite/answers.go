package testsite

import (
	_ "embed" // for a script
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/image/font/gofont/goregular"
)

// answers are the paths that are more than a page.
func (s *Site) answers() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"/picture/{file}":             s.picture,
		"/font.ttf":                   s.font,
		"/c.json":                     cards,
		"/style.css":                  s.style,
		"/data.json":                  s.data,
		"/echo.json":                  echo,
		"/events":                     s.events,
		"/module.js":                  s.module,
		"/message.js":                 message,
		"/worker.js":                  s.worker,
		"/identity.js":                identity,
		"/kind/{name}":                s.kind,
		"/hang":                       s.hang,
		"/held":                       never{s}.held,
		"/flow":                       never{s}.flow,
		"/half.css":                   never{s}.half,
		"/importing.css":              importing,
		"/refresh":                    never{s}.refresh,
		"/drip":                       s.drip,
		"/slow":                       s.slow,
		"/empty":                      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"/download":                   download,
		"/redirect":                   redirect,
		"/redirect-loop":              redirectLoop,
		"/basic-auth":                 s.basicAuth,
		"/status/{code}":              s.status,
		"/close":                      cut,
		"/moving.gif":                 movingGIF,
		"/moving.apng":                movingAPNG,
		"/moving.webm":                s.video,
		"/banner-ads/{file}":          s.picture, // a path that filter lists name
		"/openx/www/delivery/ajs.php": boxes,     // likewise
		"/matomo.js":                  boxes,     // likewise
		"/graphql":                    s.graphql,
		"/posts/{page}":               posts,
		"/socket.io/":                 s.socket,
		"/npm/":                       s.libraries.file,
		"/bundle/{name}":              s.libraries.bundle,
	}
}

// wait passes ms milliseconds, unless the client or the site ends first.
func (s *Site) wait(r *http.Request, ms int) bool {
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
		return true
	case <-r.Context().Done():
	case <-s.ended:
	}
	return false
}

func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.URL.Query().Get(name))
	return n
}

// picture serves /picture/WxH-SEED.png or .jpg; ms delays it.
func (s *Site) picture(w http.ResponseWriter, r *http.Request) {
	if !s.wait(r, number(r, "ms")) {
		return
	}
	data, kind, err := s.album.drawn(r.PathValue("file"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(data)
}

// boxes is a script that puts a box on the page.
func boxes(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript")
	_, _ = fmt.Fprint(w, `document.body.insertAdjacentHTML('beforeend', '<div class="box"></div>')`)
}

// font serves the Go regular typeface; ms delays it.
func (s *Site) font(w http.ResponseWriter, r *http.Request) {
	if !s.wait(r, number(r, "ms")) {
		return
	}
	w.Header().Set("Content-Type", "font/ttf")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, _ = w.Write(goregular.TTF)
}

// card is one entry of the single-page app /c.
type card struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	Price string `json:"price"`
}

// cards is the data that /c fetches at load.
func cards(w http.ResponseWriter, _ *http.Request) {
	list := make([]card, 500)
	for i := range list {
		list[i] = card{sentence(i, 4), sentence(i+7, 14), fmt.Sprintf("%d.%02d", 10+i%90, i%100)}
	}
	answer(w, list)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Headers", "*")
	_ = json.NewEncoder(w).Encode(v)
}

// data is a small answer; ms delays it.
func (s *Site) data(w http.ResponseWriter, r *http.Request) {
	if s.wait(r, number(r, "ms")) {
		answer(w, map[string]string{"value": "arrived"})
	}
}

// events is a stream of one event, sent after ms milliseconds, that does not end.
func (s *Site) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).Flush()
	if s.wait(r, number(r, "ms")) {
		_, _ = fmt.Fprint(w, "data: arrived\n\n")
		_ = http.NewResponseController(w).Flush()
		s.hang(w, r)
	}
}

// module is a script that runs what it is given; ms delays it.
func (s *Site) module(w http.ResponseWriter, r *http.Request) {
	if s.wait(r, number(r, "ms")) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = fmt.Fprint(w, "export const run = fn => fn();")
	}
}

// message is the script of a worker that sends one message after ms milliseconds.
func message(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/javascript")
	_, _ = fmt.Fprintf(w, "setTimeout(() => postMessage('arrived'), %d);", number(r, "ms")) //nolint:gosec // a number
}

// style is an empty style sheet; ms delays it.
func (s *Site) style(w http.ResponseWriter, r *http.Request) {
	if s.wait(r, number(r, "ms")) {
		w.Header().Set("Content-Type", "text/css")
	}
}

// echo answers with the request's headers as JSON.
func echo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") != "" {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}
	answer(w, map[string]any{"host": r.Host, "path": r.URL.RequestURI(), "headers": r.Header})
}

// kind answers one of the requests of the page /kinds, which makes one of each kind.
func (s *Site) kind(w http.ResponseWriter, r *http.Request) {
	box := css(BoxColor())
	answers := map[string][2]string{
		"stylesheet":  {"text/css", "#css{background:" + box + "}"},
		"script":      {"text/javascript", "js.style.background='" + box + "'"},
		"frame":       {"text/html", "<!doctype html><body style='background:" + box + "'>"},
		"eventsource": {"text/event-stream", "retry: 600000\n\n"},
		"other":       {"text/javascript", "new WebSocket('ws://" + s.view(r).SelfHost() + "/kind/worker-socket'); fetch('/kind/worker-fetch')"},
		"image": {"image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' width='80' height='80'>" +
			"<rect width='80' height='80' fill='" + box + "'/></svg>"},
		"font": {"font/ttf", string(goregular.TTF)},
	}
	known, found := answers[r.PathValue("name")]
	if !found {
		known = [2]string{"text/plain", "arrived"}
	}
	w.Header().Set("Content-Type", known[0])
	_, _ = io.WriteString(w, known[1])
}

//go:embed identity.js
var identityScript []byte

// identity is the script by which the page /identity, its frames and its workers say what browser they are in.
func identity(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript")
	_, _ = w.Write(identityScript)
}

// worker is the script of a worker of any kind. It asks both hosts for something.
func (s *Site) worker(w http.ResponseWriter, r *http.Request) {
	kind := r.URL.RawQuery
	w.Header().Set("Content-Type", "text/javascript")
	script := fmt.Sprintf("fetch('/echo.json?in-%[1]s'); fetch('%[2]s/echo.json?in-%[1]s'); new WebSocket('ws://%[3]s/socket?in-%[1]s');",
		kind, s.Other, s.view(r).OtherHost())
	_, _ = w.Write([]byte(script)) //nolint:gosec // the test names the kind
}

// HeaderLines lists the request's headers for the page /echo, sorted.
func (v view) HeaderLines() []string {
	var lines []string
	for name, values := range v.Request.Header {
		lines = append(lines, name+": "+strings.Join(values, ", "))
	}
	sort.Strings(lines)
	return lines
}

// hang never answers; the connection is cut when the client leaves or the site ends.
func (s *Site) hang(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.ended:
	}
	panic(http.ErrAbortHandler)
}

// importing is a style sheet that imports one that never comes.
func importing(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css")
	_, _ = fmt.Fprint(w, `@import "/hang?nested";`)
}

// drip sends the beginning of a page and never the rest.
func (s *Site) drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, "<!doctype html><title>Drip</title><h1>The first lines</h1><p>%s</p>", paragraph(1))
	_ = http.NewResponseController(w).Flush()
	s.hang(w, r)
}

// slow serves the page /a after ms milliseconds.
func (s *Site) slow(w http.ResponseWriter, r *http.Request) {
	if s.wait(r, number(r, "ms")) {
		s.write(w, r, "a", http.StatusOK)
	}
}

func download(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="file.bin"`)
	_, _ = w.Write(make([]byte, 100_000))
}

// redirect sends n more redirects to itself and then one to the address to.
func redirect(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	if n := number(r, "n"); n > 0 {
		q := r.URL.Query()
		q.Set("n", strconv.Itoa(n-1))
		to = "/redirect?" + q.Encode()
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	http.Redirect(w, r, to, http.StatusFound) //nolint:gosec // the test says where to
}

func redirectLoop(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Location", fmt.Sprintf("/redirect-loop?n=%d", number(r, "n")+1))
	w.WriteHeader(http.StatusFound)
}

func (s *Site) basicAuth(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := r.BasicAuth(); ok {
		s.write(w, r, "a", http.StatusOK)
		return
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="test site"`)
	s.write(w, r, "unauthorized", http.StatusUnauthorized)
}

// status answers with a page and the status that the path names.
func (s *Site) status(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil || code < 200 || code > 599 {
		code = http.StatusNotFound
	}
	s.write(w, r, "status", code)
}

// cut closes the connection without an answer.
func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}
