package hostile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/hostile"
	"github.com/savepage/savepage/internal/page"
)

// rig is the site with its canaries, and a renderer whose names and connections lead to them.
type rig struct {
	*page.Renderer

	canary *hostile.Canary
	site   *hostile.Site
	pool   *browser.Pool
	sniff  *sniffer // nil without a namespace of its own
}

// belts are what holds the pages of a rig.
type belts struct {
	guard bool // the policy of production; else all of loopback is allowed
	flags bool // the browser has those that keep it off the network by itself
	trust bool // it trusts the certificate of the site
	jail  browser.Jail
}

// newRig starts everything.
func newRig(t *testing.T, on belts) *rig {
	t.Helper()
	r := &rig{}
	open := !on.guard
	dir := folderForAll(t)
	var err error
	if r.sniff, err = openSniffer(dir); err != nil {
		t.Fatal(err)
	}
	if r.sniff != nil {
		closing(t, "the sniffer", r.sniff.Close)
	}
	if r.canary, err = hostile.NewCanary(); err != nil {
		t.Fatal(err)
	}
	closing(t, "the canaries", r.canary.Close)
	ready := looked
	if open {
		ready = r.reached
	}
	if r.site, err = hostile.Open(r.canary, open, ready); err != nil {
		t.Fatal(err)
	}
	closing(t, "the site", r.site.Close)
	rules, cfg := r.site.Rule(), browser.Config{Pages: atOnce, Warm: 2, Jail: on.jail, Budget: guard.Budget{Requests: 4000}}
	if open {
		rules = "127.0.0.0/8,::1/128"
	}
	if !on.flags || on.trust {
		if cfg.Path, err = openBrowser(dir); err != nil {
			t.Fatal(err)
		}
	}
	if on.trust {
		if err := os.WriteFile(filepath.Join(dir, trusted), []byte(r.site.TLSKey), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	allow, err := guard.ParseAllow(rules)
	if err != nil {
		t.Fatal(err)
	}
	policy := guard.New(guard.Config{Allow: allow, Resolver: r.site, Dial: r.site.Dial})
	if r.pool, err = browser.Start(t.Context(), cfg, policy, quiet()); err != nil {
		t.Fatal(err)
	}
	closing(t, "the browser", r.pool.Close)
	r.Renderer = page.New(r.pool, page.Config{}, quiet())
	return r
}

// looked gives a guarded page some time in which what it tried could arrive.
func looked(_ string, since time.Time) bool { return time.Since(since) > time.Second/2 }

// reached holds an unguarded page until everything that it tries has arrived, or nothing more comes.
func (r *rig) reached(name string, since time.Time) bool {
	missing := slices.ContainsFunc(hostile.On(name, hostile.Egress()), func(c hostile.Case) bool {
		return c.Bites() && c.Control != hostile.Lookup && len(r.canary.Hits(c.ID)) == 0
	})
	return !missing || time.Since(since) > 20*time.Second
}

// options is how a page is captured: when it says that it has tried everything.
func (r *rig) options(name string, cases []hostile.Case) savepage.Options {
	o := savepage.Options{URL: r.site.URL(name), Timeout: 30_000, Width: 400, Height: 300}
	switch {
	case cases[0].Want() == hostile.Silent:
		o.WaitForSelector = "#done"
	case strings.HasSuffix(name, "="):
		o.URL += r.canary.URL(cases[0].ID)
	default:
		o.Delay = 1500 // what the page does later comes first
	}
	return o
}

// TestGuarded renders every page behind the guard of production, in the machine's network: no canary hears of it.
func TestGuarded(t *testing.T) {
	if *unguarded {
		return
	}
	r := newRig(t, belts{guard: true, flags: true, jail: browser.JailOff})
	outcomes := r.renderAll(t, func(t *testing.T, name string, cases []hostile.Case, shot capture.Shot, err error) {
		t.Helper()
		told, _ := errors.AsType[*savepage.Error](err)
		switch {
		case cases[0].Want() == hostile.Silent && err != nil:
			t.Errorf("%s: %v", name, err)
		case cases[0].Want() == hostile.Refused && (told == nil || told.Code != savepage.CodeAddressBlocked):
			t.Errorf("%s: %v, want %s", name, err, savepage.CodeAddressBlocked)
		case strings.Contains(shot.Report.Title, hostile.CanaryText):
			t.Errorf("%s: the canary was read", name)
		}
		if name == "scan.html" {
			blind(t, shot.Report.Title)
		}
	})
	if err := r.pool.Close(); err != nil { // what waits for the end of a page has gone, too
		t.Error(err)
	}
	for _, c := range hostile.Egress() {
		hits := r.canary.Hits(c.ID)
		if len(hits) > 0 {
			t.Errorf("%s (%s) reached the canary: %v", c.ID, c.Title, hits)
		}
		rows.add(c.ID, c.Title, string(c.Want()), outcomes[c.Page]+", canary "+strconv.Itoa(len(hits)))
	}
	for _, strange := range r.canary.Strange() {
		t.Errorf("reached the canary: %s", strange)
	}
	for _, address := range r.site.Stray() {
		t.Errorf("the guard dialled %s", address)
	}
	r.silence(t)
}

// silence is C14: no packet of the browser left the namespace, and no name was asked for.
func (r *rig) silence(t *testing.T) {
	t.Helper()
	const title, want = "the browser asks no name server and sends no packet", "0 queries, 0 packets"
	if r.sniff == nil {
		rows.add("C14", title, want, "NOT RUN: no network namespace can be made here")
		t.Log("C14 was not run: no network namespace can be made here")
		return
	}
	packets, names := r.sniff.seen()
	if len(packets) > 0 || len(names) > 0 {
		t.Errorf("C14: the name server was asked for %v, and %v left", names, packets)
	}
	rows.add("C14", title, want, fmt.Sprintf("%d queries, %d packets", len(names), len(packets)))
}

// blind is D67: the page learns nothing from the answers, and an open port takes no longer than a closed one. Of 10,000
// pairs the open one is slower in about half, whatever the machine does.
func blind(t *testing.T, title string) {
	t.Helper()
	parts := strings.Split(title, " | ")
	if len(parts) != 3 || parts[0] != parts[1] || parts[0] == "" || strings.Contains(parts[0], "yes") {
		t.Errorf("D67: the page sees a difference: %q", title)
		return
	}
	if longer, err := strconv.ParseFloat(parts[2], 64); err != nil || longer < 0.25 || longer > 0.75 {
		t.Errorf("D67: an open port is slower in %s of the pairs", parts[2])
	}
}

// TestTeeth renders the same pages with everything allowed: what reaches nothing even then would prove nothing.
func TestTeeth(t *testing.T) {
	if !*unguarded {
		return // make hostile-teeth
	}
	r := newRig(t, belts{jail: browser.JailOff})
	r.renderAll(t, func(t *testing.T, name string, _ []hostile.Case, shot capture.Shot, err error) {
		t.Helper()
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case name == "script.html" && !strings.Contains(shot.Report.Title, hostile.CanaryText):
			t.Errorf("D34: the canary was not read: %q", shot.Report.Title)
		case name == "scan.html" && !strings.HasPrefix(shot.Report.Title, "yes | "):
			t.Errorf("D67: an open port looks like a closed one even now: %q", shot.Report.Title)
		}
	})
	var names []string
	if r.sniff != nil {
		_, names = r.sniff.seen()
	}
	for _, c := range hostile.Egress() {
		hits := r.canary.Hits(c.ID)
		seen := "reached: " + strings.Join(hits[:min(len(hits), 1)], "")
		switch {
		case c.Control == hostile.Lookup && r.sniff == nil:
			seen = "NOT RUN: no network namespace can be made here"
		case c.Control == hostile.Lookup:
			seen = fmt.Sprintf("asked for %v", names)
			if len(names) == 0 {
				t.Errorf("%s (%s): no name server was asked", c.ID, c.Title)
			}
		case c.Bites() && len(hits) == 0:
			t.Errorf("%s (%s) does not reach the canary: the case proves nothing", c.ID, c.Title)
			seen = "NOT REACHED"
		case !c.Bites() && len(hits) > 0:
			t.Errorf("%s (%s) reaches the canary, although %q: it has become a case like the others", c.ID, c.Title, c.Control)
		case !c.Bites():
			seen = "not reached: " + string(c.Control)
		}
		rows.add(c.ID, c.Title, "the canary is reached", seen)
	}
}

// renderAll renders the pages, several at once, and says what became of each.
func (r *rig) renderAll(t *testing.T, look func(*testing.T, string, []hostile.Case, capture.Shot, error)) map[string]string {
	t.Helper()
	pages := hostile.Pages(hostile.Egress())
	outcomes := make([]string, len(pages))
	t.Run("pages", func(t *testing.T) {
		for i, name := range pages {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				cases := hostile.On(name, hostile.Egress())
				shot, err := r.render(t.Context(), r.options(name, cases))
				outcomes[i] = outcome(shot, err)
				look(t, name, cases, shot, err)
			})
		}
	})
	by := map[string]string{}
	for i, name := range pages {
		by[name] = outcomes[i]
	}
	return by
}

func (r *rig) render(ctx context.Context, o savepage.Options) (capture.Shot, error) {
	shot, err := r.Render(ctx, o)
	if shot.Large != nil {
		err = errors.Join(err, shot.Close())
	}
	return shot, err
}

// outcome is an end in a few words.
func outcome(shot capture.Shot, err error) string {
	if told, is := errors.AsType[*savepage.Error](err); is {
		return string(told.Code)
	}
	if err != nil {
		return err.Error()
	}
	if n := shot.Report.Requests.Blocked; n > 0 {
		return fmt.Sprintf("captured, %d refused", n)
	}
	return "captured"
}

// Every case is on a page that names it, once, and every page belongs to a case.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range hostile.Egress() {
		if seen[c.ID] || c.Title == "" || c.Page == "" {
			t.Errorf("%s is there twice, or says nothing", c.ID)
		}
		seen[c.ID] = true
	}
	for n := 1; n <= 67; n++ {
		id := fmt.Sprintf("D%02d", n)
		if !slices.ContainsFunc(hostile.Egress(), func(c hostile.Case) bool { return c.Number() == id }) {
			t.Errorf("%s is not in the catalogue", id)
		}
	}
}

// TestJailed renders every page in a browser that has lost the flags which keep it off the network, behind the guard and in a
// network namespace: no datagram and no query leaves it either.
func TestJailed(t *testing.T) {
	if *unguarded {
		return
	}
	r := newRig(t, belts{guard: true, jail: browser.JailRequired})
	r.renderAll(t, func(t *testing.T, name string, cases []hostile.Case, shot capture.Shot, err error) {
		t.Helper()
		if cases[0].Want() == hostile.Silent && err != nil || strings.Contains(shot.Report.Title, hostile.CanaryText) {
			t.Errorf("%s: %v, the title is %q", name, err, shot.Report.Title)
		}
	})
	reached := 0
	for _, c := range hostile.Egress() {
		if hits := r.canary.Hits(c.ID); len(hits) > 0 {
			reached++
			t.Errorf("%s (%s) reached the canary: %v", c.ID, c.Title, hits)
		}
	}
	rows.add("I06", "group D in a namespace, without the flags of the network", "0 canaries", strconv.Itoa(reached)+" canaries")
	r.silence(t)
}
