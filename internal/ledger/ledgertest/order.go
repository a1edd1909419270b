package ledgertest

import (
	"context"
	"fmt"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func orderTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"first come, first served": testFirstCome,
		"newcomer":                 testNewcomer,
		"kept over a restart":      testOrderKept,
		"pages of a newcomer":      testPagesOfNewcomer,
		"share of the pages":       testShareOfPages,
		"limit of pages":           testLimitOfPages,
		"more and fewer pages":     testSetPages,
	}
}

// kind is an account and a class.
type kind struct {
	account string
	class   ledger.Class
}

// submitOf records a single capture of a kind and returns its id.
func (b *bench) submitOf(t *scene, k kind) string {
	t.Helper()
	if k.class == ledger.Batch {
		s := batch(k.account, 1)
		a, err := b.AcceptBatch(t.Context(), s)
		must(t, err)
		return a.CaptureIDs[0]
	}
	s := submission(k.account)
	s.Capture.Interactive = k.class == ledger.Interactive
	a, err := b.Accept(t.Context(), s)
	must(t, err)
	return a.Capture.ID
}

// testFirstCome has captures of two accounts and every class come, also while others are rendered and while the clock
// steps: none is taken before an earlier one of its account and class.
func testFirstCome(t *scene) {
	now := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Workers: 1, Clock: now})
	kinds := make([]kind, 0, 6)
	for _, account := range []string{b.account, b.other(t)} {
		for _, class := range []ledger.Class{ledger.Interactive, ledger.Async, ledger.Batch} {
			kinds = append(kinds, kind{account, class})
		}
	}
	came, of := map[kind][]string{}, map[string]kind{}
	submit := func(k kind) {
		id := b.submitOf(t, k)
		came[k], of[id] = append(came[k], id), k
	}
	for range 5 {
		for _, k := range kinds {
			submit(k)
		}
	}
	total, steps := 0, []time.Duration{time.Second, -time.Hour, time.Hour, 0, 13 * time.Hour}
	taken, all := map[kind][]string{}, make(chan bool)
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		k := of[c.Capture.ID]
		taken[k] = append(taken[k], c.Capture.ID)
		if total++; total <= 60 {
			submit(kinds[total%len(kinds)])
			now.Step(steps[total%len(steps)])
		}
		if total == 90 {
			close(all)
		}
		return b.finisher(nil)(ctx, c)
	}})
	receive(t, "the last capture", all)
	for _, k := range kinds {
		equal(t, came[k], taken[k])
	}
}

// testNewcomer has an account come beside 7,000 captures of another: its first is taken next, and then they take turns.
func testNewcomer(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	for range 7 {
		b.acceptBatch(t, 1000)
	}
	claims, proceed := make(chan capture.Claim), make(chan bool)
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		select {
		case claims <- c:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-proceed:
		case <-ctx.Done():
			return ctx.Err()
		}
		return b.finisher(nil)(ctx, c)
	}})
	next := func() string { return receive(t, "a capture", claims).Capture.Account }
	for range 10 {
		equal(t, b.account, next())
		proceed <- true
	}
	equal(t, b.account, next())
	newcomer := b.other(t)
	_, err := b.AcceptBatch(t.Context(), batch(newcomer, 20))
	must(t, err)
	proceed <- true
	for range 5 {
		for _, want := range []string{newcomer, b.account} {
			equal(t, want, next())
			proceed <- true
		}
	}
}

// testOrderKept closes in the middle, with one capture that is given back: the next start goes on in the same order.
func testOrderKept(t *scene) {
	b := setUp(t, ledger.Config{Workers: 1})
	other := b.other(t)
	want := map[string][]string{}
	submit := func() {
		for _, account := range []string{b.account, other} {
			want[account] = append(want[account], b.accept(t, account))
		}
	}
	for range 4 {
		submit()
	}
	running := make(chan string, 1)
	stop := b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		running <- c.Capture.ID
		<-ctx.Done()
		return ctx.Err()
	}})
	first := receive(t, "a running capture", running)
	stop()
	must(t, b.Close())
	b.Store = t.open(ledger.Config{Workers: 1})
	submit()
	taken := make(chan savepage.Capture, 20)
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		taken <- c.Capture
		return b.finisher(nil)(ctx, c)
	}})
	got := map[string][]string{}
	for i := range 10 {
		c := receive(t, "a capture", taken)
		if i == 0 {
			equal(t, first, c.ID) // which was given back
		}
		got[c.Account] = append(got[c.Account], c.ID)
		if ahead := len(got[b.account]) - len(got[other]); ahead < -1 || ahead > 1 {
			t.Errorf("after %d captures an account is %d ahead", i+1, ahead)
		}
	}
	equal(t, want, got)
}

// holders renders until it is told to go on, and says who holds pages.
type holders struct {
	started chan string          // accounts
	proceed map[string]chan bool // by account
	held    map[string]int       // as starts and ends tell
}

func hold(t *scene, b *bench, accounts ...string) *holders {
	t.Helper()
	h := &holders{started: make(chan string, 100), proceed: map[string]chan bool{}, held: map[string]int{}}
	for _, account := range accounts {
		h.proceed[account] = make(chan bool)
	}
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		h.started <- c.Capture.Account
		select {
		case <-h.proceed[c.Capture.Account]:
		case <-ctx.Done():
			return ctx.Err()
		}
		return b.finisher(nil)(ctx, c)
	}})
	return h
}

// next waits for the next capture that starts.
func (h *holders) next(t *scene, want string) {
	t.Helper()
	got := receive(t, fmt.Sprintf("a start while %v", h.held), h.started)
	h.held[got]++
	equal(t, want, got)
}

// end ends one capture of an account.
func (h *holders) end(account string) {
	h.held[account]--
	h.proceed[account] <- true
}

// testPagesOfNewcomer has one account take all pages with captures that do not end. Another's first starts at once
// nevertheless, and gets the next page that becomes free.
func testPagesOfNewcomer(t *scene) {
	b := setUp(t, ledger.Config{Workers: 4, Reserve: 1})
	newcomer := b.other(t)
	for range 8 {
		b.accept(t, b.account)
	}
	h := hold(t, b, b.account, newcomer)
	for range 4 { // an account alone gets every page
		h.next(t, b.account)
	}
	b.accept(t, newcomer)
	b.accept(t, newcomer)
	h.next(t, newcomer)
	h.end(b.account) // its page takes the place of the one in reserve
	h.end(b.account)
	h.next(t, newcomer) // which holds fewer pages than the other
	h.end(newcomer)
	h.next(t, b.account)
	h.end(newcomer)
	h.next(t, b.account)
	equal(t, map[string]int{b.account: 4, newcomer: 0}, h.held)
}

// testShareOfPages has 10,000 captures of an account wait that holds its share: others are taken past them.
func testShareOfPages(t *scene) {
	b := setUp(t, ledger.Config{Workers: 4, Reserve: 1})
	accounts := []string{b.account, b.other(t)}
	for range 10 {
		b.acceptBatch(t, 1000)
	}
	h := hold(t, b, accounts...)
	for range 4 {
		h.next(t, b.account)
	}
	for range 100 {
		b.accept(t, accounts[1])
	}
	h.next(t, accounts[1])
	h.end(b.account)
	h.end(b.account)
	h.next(t, accounts[1])
	for range 50 { // with two pages each, the one that ends is replaced by its own
		h.end(accounts[1])
		h.next(t, accounts[1])
	}
	equal(t, map[string]int{b.account: 2, accounts[1]: 2}, h.held)
}

// testLimitOfPages has an account wait that holds as many pages as it may: pages stay free, and others take them.
func testLimitOfPages(t *scene) {
	limits := savepage.DefaultLimits()
	limits.Pages = 2
	b := setUp(t, ledger.Config{Workers: 4, Reserve: 1, Limits: limits})
	other := b.other(t)
	for range 6 {
		b.accept(t, b.account)
	}
	h := hold(t, b, b.account, other)
	h.next(t, b.account)
	h.next(t, b.account)
	b.accept(t, other)
	h.next(t, other) // what came later, and no third of the first
	h.end(b.account)
	h.next(t, b.account)
	equal(t, map[string]int{b.account: 2, other: 1}, h.held)
}

// testSetPages has the number of pages grow and shrink while captures wait.
func testSetPages(t *scene) {
	b := setUp(t, ledger.Config{Workers: 2, MostWorkers: 4, Reserve: 1})
	other := b.other(t)
	for range 20 {
		b.accept(t, b.account)
	}
	h := hold(t, b, b.account, other)
	h.next(t, b.account)
	h.next(t, b.account)
	must(t, b.SetPages(t.Context(), 9)) // four at the most
	h.next(t, b.account)
	h.next(t, b.account)
	b.accept(t, other)
	h.next(t, other) // from the reserve: the other account has all that are usual
	equal(t, map[string]int{b.account: 4, other: 1}, h.held)
	must(t, b.SetPages(t.Context(), 0)) // one at least
	for range 4 {
		h.end(b.account)
	}
	h.next(t, b.account)
	for range 5 { // its next one waits while it holds one
		h.end(other)
		b.accept(t, other)
		h.next(t, other)
	}
	equal(t, map[string]int{b.account: 1, other: 1}, h.held)
}
