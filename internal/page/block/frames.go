package block

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/network"

	"github.com/savepage/savepage/internal/page/session"
)

// frames is where the page's frames are.
type frames struct {
	main string // id of the main frame

	mu   sync.Mutex
	urls map[string]string // by id: the document that came last
	over map[string]string // by id: the frame around it
}

func (f *frames) attached(_ *session.Target, params json.RawMessage) {
	var e struct {
		ID     string `json:"frameId"`
		Parent string `json:"parentFrameId"`
	}
	if !session.Read(params, &e) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.over) < session.MaxTracked {
		f.over[e.ID] = e.Parent
	}
}

func (f *frames) navigated(_ *session.Target, params json.RawMessage) {
	var e struct {
		Frame struct {
			ID     string `json:"id"`
			Parent string `json:"parentId"`
			URL    string `json:"url"`
		} `json:"frame"`
	}
	if !session.Read(params, &e) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.urls) >= session.MaxTracked {
		return
	}
	f.urls[e.Frame.ID] = strings.Clone(e.Frame.URL[:min(len(e.Frame.URL), maxMatched)]) // no rule compares more
	if e.Frame.Parent != "" {
		f.over[e.Frame.ID] = e.Frame.Parent
	}
}

// asking is the URL of the document that asks for something: for a frame's document the one around it. A document without
// an address of its own speaks for the one around it.
func (f *frames) asking(a asked) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := a.frame
	if a.kind == network.ResourceTypeDocument {
		id = f.over[id]
	}
	for range 16 { // no page nests frames deeper to a purpose
		if id == "" || id == f.main {
			break
		}
		if url := f.urls[id]; strings.HasPrefix(url, "http") {
			return url
		}
		id = f.over[id]
	}
	return a.page
}
