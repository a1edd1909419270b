package settle

import (
	"context"
	_ "embed" // for the scripts
	"time"
)

//go:embed later.js
var laterScript string

//go:embed unfinished.js
var unfinishedScript string

// maxHops is how many documents of a page are waited for that come by themselves, one after the other.
const maxHops = 6

// later is what the page is about to do within two seconds of its load event.
type later struct {
	Soon  float64  `json:"soon"`  // milliseconds to the first of its timers; negative for none
	Goes  float64  `json:"goes"`  // the same, of those that go to another address
	Aside []string `json:"aside"` // addresses that are asked for without a use for the answer
}

// unfinished is what the page looks like, where that matters.
type unfinished struct {
	Loading bool `json:"loading"` // it shows that it waits for something
	Changes bool `json:"changes"` // it has hardly anything to show yet, or something lies over all of it
}

// takeIn takes in what the page has said. It asks what the page looks like where that matters now and was not asked for.
func takeIn(ctx context.Context, w *Waiter) error {
	said := w.seen.Later
	if said != nil && len(said.Aside) > 0 {
		w.Network.SetAside(said.Aside)
	}
	w.Network.Looked(w.looked, w.seen.Elements > w.elements, w.seen.Timers.timerless(w.answered))
	w.elements = w.seen.Elements
	w.looks = unfinished{}
	timed := said != nil && said.Soon >= 0
	unsure, _ := w.Network.Unsure()
	switch unsure = unsure || timed; {
	case unsure && w.seen.Looks != nil:
		w.looks = *w.seen.Looks
	case unsure:
		if err := w.Page.Ask(ctx, 0, &w.looks, unfinishedScript+"savepageUnfinished.look", timed); err != nil {
			return err
		}
	}
	w.Network.SetLoading(w.looks.Loading)
	return nil
}

// ahead is where a page is about to go.
type ahead struct {
	to    Navigation
	seen  Look
	looks unfinished
}

func aheadOf(w *Waiter) ahead { return ahead{w.Navigation, w.seen, w.looks} }

// toCome is how long it takes at least until the page has become what it is about to be: it goes to another address, or ends
// what it shows only while it begins.
func (a ahead) toCome() time.Duration {
	if left, is := a.goes(); is {
		if documents, here := a.to.Been(); documents > maxHops || here {
			return 0
		}
		return left + frame
	}
	if said := a.seen.Later; said != nil && said.Soon >= 0 && (a.looks.Changes || a.looks.Loading) {
		return milli(said.Soon) + frame
	}
	return 0
}

// goes is the time until the page goes to another address by itself.
func (a ahead) goes() (left time.Duration, is bool) {
	if left, is := a.to.Planned(a.seen.Refresh); is {
		return left, true
	}
	if said := a.seen.Later; said != nil && said.Goes >= 0 {
		return milli(said.Goes), true
	}
	return 0, false
}

// note says that the page would have gone on.
func (a ahead) note(notes Notes) {
	if _, is := a.goes(); !is {
		return
	}
	if documents, _ := a.to.Been(); documents > maxHops {
		notes.Partial("the page went from one address to the next and was about to go on")
	}
}
