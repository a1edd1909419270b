package traffic

import (
	"slices"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/page/address"
)

// repeating is how long after a repeated question it matters what the page shows.
const repeating = 2 * time.Second

// Waiting counts the open requests that settling waits for.
func (r *Requests) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, now := 0, time.Now()
	for _, one := range r.open {
		if one.waits(now, r.stall, r.loading) {
			n++
		}
	}
	return n
}

// SetLoading notes whether the page shows that it waits for something: any request may then be what it waits for.
func (r *Requests) SetLoading(is bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loading = is
	for _, one := range r.open {
		if is && one.poll {
			one.poll = one.of.judge(time.Now(), true)
		}
	}
}

// Unsure reports whether it matters what the page shows: something is open, or scripts have lately asked for the same again,
// which repeats says.
func (r *Requests) Unsure() (is, repeats bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repeats = time.Since(r.repeated) < repeating
	return len(r.open) > 0 || repeats, repeats
}

// SetAside notes addresses that scripts ask for without a use for the answer.
func (r *Requests) SetAside(urls []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.open {
		if scripted(one.kind) && slices.ContainsFunc(urls, func(url string) bool { return same(one.url, url) }) {
			one.lasting = true
		}
	}
}

// Hang is a request of which nothing has come for long.
type Hang struct{ URL, Kind string }

// Hanging are the open requests of which nothing has come for so long, that for a document of the main frame excepted, and the
// servers, as "host:port", of which nothing has come at all in that time. Those that scripts make for data are among them only
// where they are asked for.
func (r *Requests) Hanging(long time.Duration, data bool) (hanging []Hang, silent []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, alive := time.Now(), map[string]bool{}
	for _, one := range oldest(r.open) {
		if one.main || one.lasting && !one.silent() || scripted(one.kind) && !data || now.Sub(one.moved) < long {
			alive[Server(one.url)] = true
			continue
		}
		hanging = append(hanging, Hang{one.url, one.kind})
	}
	for _, one := range hanging {
		if at := Server(one.URL); !alive[at] && !slices.Contains(silent, at) {
			silent = append(silent, at)
		}
	}
	return hanging, silent
}

// GiveUp notes that requests for an address are waited for no longer: they fail. It reports whether there were any.
func (r *Requests) GiveUp(url string) (is bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.open {
		if !one.given && same(one.url, url) {
			one.given, is = true, true
			r.gave[one.url] = true
			r.fault(one.url, noAnswer)
		}
	}
	return is
}

// noAnswer is what becomes of a request that was given up.
const noAnswer = "no answer"

// SetGrowing notes whether what the page asks for again brings more of it.
func (r *Requests) SetGrowing(is bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.growing = is
}

// Scripts counts the requests for scripts.
func (r *Requests) Scripts() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.scripts
}

// Asks reports whether a request for the URL is open and known. Its browser may tell of it later than the proxy sees it.
func (r *Requests) Asks(url string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.open {
		if same(one.url, url) {
			return true
		}
	}
	return false
}

// drop forgets the open requests for a document that is none.
func (r *Requests) drop(url string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, one := range r.open {
		if one.kind == document && same(one.url, url) {
			r.close(id)
		}
	}
}

// Looked notes what the page looked like: whether it has more in it than at the look before, and since when no function of its
// timers has run, zero when that is not known. It was asked at a time: questions that were taken for a poll's before then are
// judged once more.
func (r *Requests) Looked(asked time.Time, grew bool, timerless time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if grew {
		r.grew = time.Now()
	}
	for _, one := range r.open {
		if one.poll && one.of != nil {
			one.poll = one.of.judge(asked, grew || one.own && one.of.goesOn(timerless))
		}
	}
}

// Open names at most n open requests without which the picture may lack something, oldest first.
func (r *Requests) Open(n int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	now := time.Now()
	for _, one := range oldest(r.open) {
		if len(names) < n && one.wanted(now, r.loading) {
			names = append(names, address.Named(one.url))
		}
	}
	return names
}

// Report counts what became of the page's requests.
func (r *Requests) Report(events []guard.Event) savepage.RequestReport {
	all := r.report(events)
	r.mu.Lock()
	defer r.mu.Unlock()
	all.Total = r.total
	open := oldest(r.open)
	all.Pending = len(open)
	for _, one := range open {
		all.Named = append(all.Named, "pending: "+address.Named(one.url))
	}
	all.Named = all.Named[:min(len(all.Named), maxNamed)]
	return all
}
