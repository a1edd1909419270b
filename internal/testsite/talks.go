package testsite

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// graphql answers a question of one operation that needs its variables; ms delays it.
func (s *Site) graphql(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Variables struct {
			After int `json:"after"`
		} `json:"variables"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || r.Method != http.MethodPost {
		http.Error(w, "no question", http.StatusBadRequest)
		return
	}
	if s.wait(r, number(r, "ms")) {
		name := fmt.Sprintf("Sailor %d", asked.Variables.After)
		answer(w, map[string]any{"data": map[string]any{"crew": map[string]string{"name": name, "__typename": "Sailor"}}})
	}
}

// posts are eight posts of a page of the list that /infinite-scroll begins.
func posts(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.PathValue("page"))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	for i := page * 8; i < page*8+8; i++ {
		_, _ = fmt.Fprintf(w, `<div class="post" style="background:%s">Notice %d</div>`, css(BandColor(i)), i)
	}
}

// socket speaks as much of https://socket.io/docs/v4/engine-io-protocol/ as one connection by long polls needs: it is opened,
// joined, gets one message, and asks for more without end.
func (s *Site) socket(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	sid := r.URL.Query().Get("sid")
	switch {
	case sid == "":
		_, _ = io.WriteString(w, `0{"sid":"`+s.talks.begin()+`","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}`)
	case r.Method == http.MethodPost:
		_, _ = io.WriteString(w, "ok")
	default:
		switch s.talks.next(sid) {
		case 1:
			_, _ = io.WriteString(w, `40{"sid":"`+sid+`"}`) //nolint:gosec // the test site is its own
		case 2: // the second poll
			if s.wait(r, 200) {
				_, _ = io.WriteString(w, `42["news",1]`)
			}
		default:
			s.hang(w, r)
		}
	}
}

// talks counts the polls of connections.
type talks struct {
	mu    sync.Mutex
	polls map[string]int
}

func (t *talks) begin() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := fmt.Sprintf("talk%d", len(t.polls))
	if t.polls == nil {
		t.polls = map[string]int{}
	}
	t.polls[id] = 0
	return id
}

func (t *talks) next(id string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.polls[id]++
	return t.polls[id]
}
