package ledgertest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func accountTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"key terms":    testKeyTerms,
		"key rotation": testKeyRotation,
		"book":         testAccountBook,
		"limits":       testOwnLimits,
		"usage":        testUsage,
		"removal":      testRemoval,
		"closed":       testClosedAccount,
	}
}

// valid reports whether a key is accepted.
func valid(t *scene, b *bench, key string) bool {
	t.Helper()
	_, err := b.Authenticate(t.Context(), key)
	if err != nil {
		wantCode(t, savepage.CodeUnauthorized, err)
	}
	return err == nil
}

func testKeyTerms(t *scene) {
	now := clock.Manual(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	b := setUp(t, ledger.Config{Clock: now})
	terms := savepage.KeyTerms{
		Name: "reports", Scopes: []savepage.Scope{savepage.ScopeRead}, ExpiresAt: now.Now().Add(10 * time.Second),
	}
	now.Advance(time.Millisecond)
	issued, err := b.keys.Create(t.Context(), b.account, terms)
	must(t, err)
	who, err := b.Authenticate(t.Context(), issued.Key)
	must(t, err)
	equal(t, terms.Scopes, who.Scopes)
	list, err := b.keys.List(t.Context(), b.account)
	must(t, err)
	want := savepage.Key{
		Account: b.account, Prefix: ledger.KeyPrefix(issued.Key), Name: "reports", Scopes: terms.Scopes, CreatedAt: now.Now(),
		LastUsed: now.Now(), ExpiresAt: terms.ExpiresAt,
	}
	equal(t, want, list[1])
	equal(t, savepage.UsualScopes(), list[0].Scopes)

	// It is refused from the moment of its end, although it was used a moment before and is remembered.
	now.Advance(10*time.Second - 2*time.Millisecond)
	equal(t, true, valid(t, b, issued.Key))
	now.Advance(time.Millisecond)
	equal(t, false, valid(t, b, issued.Key))
	equal(t, true, valid(t, b, b.issued.Key))
}

func testKeyRotation(t *scene) {
	now := clock.Manual(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	b := setUp(t, ledger.Config{Clock: now})
	terms := savepage.KeyTerms{Name: "n", Scopes: []savepage.Scope{savepage.ScopeCapture}, ExpiresAt: now.Now().Add(time.Hour)}
	old, err := b.keys.Create(t.Context(), b.account, terms)
	must(t, err)
	_, err = b.Admin().Rotate(t.Context(), b.other(t), ledger.KeyPrefix(old.Key), time.Minute)
	wantCode(t, savepage.CodeNotFound, err)
	fresh, err := b.Admin().Rotate(t.Context(), b.account, ledger.KeyPrefix(old.Key), time.Minute)
	must(t, err)
	equal(t, []any{"n", terms.Scopes, terms.ExpiresAt}, []any{fresh.Name, fresh.Scopes, fresh.ExpiresAt})
	equal(t, true, valid(t, b, old.Key) && valid(t, b, fresh.Key))
	now.Advance(time.Minute)
	equal(t, false, valid(t, b, old.Key))
	equal(t, true, valid(t, b, fresh.Key))
	_, err = b.keys.Rotate(t.Context(), "", old.Key, time.Minute)
	wantCode(t, savepage.CodeConflict, err)

	// A longer overlap does not lengthen the life of a key, and a server sees at once what it has revoked itself.
	last, err := b.keys.Rotate(t.Context(), "", fresh.Key, 24*time.Hour)
	must(t, err)
	equal(t, true, valid(t, b, last.Key))
	must(t, b.Admin().Revoke(t.Context(), b.account, ledger.KeyPrefix(last.Key)))
	equal(t, false, valid(t, b, last.Key))
	now.Advance(time.Hour)
	equal(t, false, valid(t, b, fresh.Key))
}

func testAccountBook(t *scene) {
	now := clock.Manual(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	b := setUp(t, ledger.Config{Clock: now})
	now.Advance(time.Second)
	terms := savepage.AccountTerms{Name: new("ACME"), Limits: map[string]*int{"pages": new(2), "pending": nil}}
	issued, err := b.keys.CreateAccount(t.Context(), terms, savepage.KeyTerms{Name: "k"})
	must(t, err)
	equal(t, true, valid(t, b, issued.Key) && issued.WebhookSecret != "")
	want := savepage.AccountInfo{ID: issued.Account, Name: "ACME", CreatedAt: now.Now(), Limits: map[string]int{"pages": 2}}
	found, err := b.Admin().Account(t.Context(), issued.Account)
	must(t, err)
	equal(t, want, found)
	_, err = b.Admin().Account(t.Context(), "acc_none")
	wantCode(t, savepage.CodeNotFound, err)

	page, next, err := b.keys.ListAccounts(t.Context(), 1, "")
	must(t, err)
	equal(t, []savepage.AccountInfo{want}, page)
	page, next, err = b.keys.ListAccounts(t.Context(), 1, next)
	must(t, err)
	equal(t, []any{b.account, ""}, []any{page[0].ID, next})
	_, _, err = b.keys.ListAccounts(t.Context(), 1, "x")
	wantCode(t, savepage.CodeInvalidRequest, err)

	change := savepage.AccountTerms{Limits: map[string]*int{"pages": nil, "captures_per_month": new(7)}}
	want.Limits = map[string]int{"captures_per_month": 7}
	changed, err := b.keys.SetAccount(t.Context(), issued.Account, change)
	must(t, err)
	equal(t, want, changed)
	changed, err = b.keys.SetAccount(t.Context(), issued.Account, savepage.AccountTerms{Name: new("")})
	must(t, err)
	want.Name = ""
	equal(t, want, changed)
	_, err = b.keys.SetAccount(t.Context(), "acc_none", change)
	wantCode(t, savepage.CodeNotFound, err)
}

// testOwnLimits gives one account limits of its own, beside another without.
func testOwnLimits(t *scene) {
	b := setUp(t, limited(func(l *savepage.Limits) { l.Pending, l.Timeout = 1, 5000 }))
	foreign := b.other(t)
	_, err := b.Authenticate(t.Context(), b.issued.Key) // it is remembered
	must(t, err)
	limits := map[string]*int{"pending": new(2), "timeout": new(0), "requests_per_minute": new(3), "captures_per_month": new(4)}
	_, err = b.Admin().SetAccount(t.Context(), b.account, savepage.AccountTerms{Limits: limits})
	must(t, err)
	who, err := b.Authenticate(t.Context(), b.issued.Key)
	must(t, err)
	equal(t, []int{2, 0, 3, 4},
		[]int{who.Limits.Pending, who.Limits.Timeout, who.Limits.RequestsPerMinute, who.Limits.CapturesPerMonth})
	admits(t, b, b.submission())
	admits(t, b, b.submission())
	refuses(t, b, savepage.CodeTooManyPending, b.submission())
	b.accept(t, foreign)
	_, err = b.Accept(t.Context(), submission(foreign))
	wantCode(t, savepage.CodeTooManyPending, err)
	_, err = b.Admin().SetAccount(t.Context(), b.account, savepage.AccountTerms{Limits: map[string]*int{"pending": new(0)}})
	must(t, err)
	admits(t, b, b.submission())
}

func testUsage(t *scene) {
	cfg := quotaOf(10)
	cfg.Clock = clock.Manual(time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC))
	cfg.Limits.Pages = 2
	b := setUp(t, cfg)
	at := func(sub capture.Submission) capture.Submission {
		sub.Capture.CreatedAt = cfg.Clock.Now()
		return sub
	}
	full := admits(t, b, at(fullpage(b)))
	runs, proceed := make(chan bool), make(chan bool)
	b.work(t, ledger.Handlers{Render: func(ctx context.Context, c capture.Claim) error {
		runs <- true
		<-proceed
		return b.Finish(ctx, c, capture.Outcome{State: savepage.Success, FinishedAt: cfg.Clock.Now()})
	}})
	receive(t, "the render", runs)
	admits(t, b, at(b.submission()))
	usage := func() savepage.Usage {
		u, err := b.Usage(t.Context(), b.account)
		must(t, err)
		return u
	}
	u := usage()
	next := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	equal(t, savepage.Use{Limit: new(10), Used: 0, Reserved: new(4), Remaining: new(6), Reset: &next}, u.CapturesPerMonth)
	equal(t, savepage.Use{Limit: new(2), Used: 1, Remaining: new(1)}, u.Pages)
	equal(t, []int{2, savepage.DefaultLimits().Pending - 2}, []int{u.Pending.Used, *u.Pending.Remaining})
	equal(t, []time.Time{time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), next}, []time.Time{u.From, u.Until})
	equal(t, true, u.PendingBytes.Used > 0)
	proceed <- true
	b.await(t, full)
	u = usage()
	equal(t, savepage.Use{Limit: new(10), Used: 3, Reserved: new(1), Remaining: new(6), Reset: &next}, u.CapturesPerMonth)
	receive(t, "the other render", runs)
	proceed <- true
	eventually(t, "nothing is on the way", func() bool { return usage().Pending.Used == 0 })
	cfg.Clock.Advance(12 * time.Hour)
	u = usage()
	equal(t, []int{0, 0, 0, 0, 10},
		[]int{u.CapturesPerMonth.Used, u.Pending.Used, u.PendingBytes.Used, u.Pages.Used, *u.CapturesPerMonth.Remaining})
	_, err := b.Usage(t.Context(), "acc_none")
	wantCode(t, savepage.CodeNotFound, err)
}

// someOfEach submits captures in every way in which the account can have them.
func someOfEach(t *scene, b *bench) (ids []string) {
	for range 3 {
		ids = append(ids, b.accept(t, b.account))
	}
	once := b.submission()
	once.IdempotencyKey = "k"
	ids = append(ids, admits(t, b, once))
	return append(ids, b.acceptBatch(t, 2).CaptureIDs...)
}

// removeAll removes the closed account in pieces. It returns the names of the pictures, sorted, and the number of captures.
func removeAll(t *scene, b *bench) (dropped []string, total int) {
	for done := false; !done; {
		n, last, err := b.RemoveSome(t.Context(), b.account, 2, func(names []string) error {
			dropped = append(dropped, names...)
			return nil
		})
		must(t, err)
		total += n
		done = last
	}
	slices.Sort(dropped)
	return slices.Compact(dropped), total
}

// testRemoval removes an account of which something of every kind is there, one piece of which runs.
func testRemoval(t *scene) { //nolint:funlen // one account, and all that it has
	b := setUp(t, ledger.Config{Workers: 2})
	kept := b.other(t)
	stays := b.accept(t, kept)
	stopped := make(chan bool)
	stop := b.work(t, ledger.Handlers{
		Render: func(ctx context.Context, c capture.Claim) error {
			if c.Capture.Options.Fullpage {
				<-ctx.Done()
				stopped <- true
				return ctx.Err()
			}
			o := capture.Outcome{State: savepage.Success, FinishedAt: time.Now(), Picture: &savepage.Picture{Name: c.Capture.ID + ".png"}}
			o.Deliveries = []savepage.Delivery{delivery(c.Capture, "http://a.test")}
			return b.Finish(ctx, c, o)
		},
		Deliver: func(context.Context, savepage.Delivery, []string) savepage.Verdict { return tryAgain(time.Hour) },
	})
	ids := someOfEach(t, b)
	for _, id := range append(slices.Clone(ids), stays) {
		b.await(t, id)
	}
	running := admits(t, b, fullpage(b))
	eventually(t, "it runs", func() bool { return b.get(t, running).State == savepage.Running })

	_, err := b.CreateLinkSecret(t.Context(), b.account)
	must(t, err)
	must(t, b.Admin().CloseAccount(t.Context(), b.account))
	equal(t, false, valid(t, b, b.issued.Key))
	closed, err := b.ClosedAccounts(t.Context())
	must(t, err)
	equal(t, []string{b.account}, closed)
	fault := errors.New("the store of pictures is away")
	_, _, err = b.RemoveSome(t.Context(), b.account, 2, func([]string) error { return fault })
	equal(t, true, errors.Is(err, fault))
	dropped, total := removeAll(t, b)
	receive(t, "the running one is stopped", stopped)
	equal(t, len(ids)+1, total)
	slices.Sort(ids)
	want := make([]string, len(ids))
	for i, id := range ids {
		want[i] = id + ".png"
	}
	equal(t, want, dropped)
	stop()
	_, err = b.Admin().Account(t.Context(), b.account)
	wantCode(t, savepage.CodeNotFound, err)
	links, err := b.LinkSecrets(t.Context(), b.account)
	must(t, err)
	equal(t, 0, len(links))
	keys, err := b.keys.List(t.Context(), "")
	must(t, err)
	equal(t, 1, len(keys))
	equal(t, kept, keys[0].Account)
	page, _, err := b.List(t.Context(), b.account, capture.Filter{Limit: 10})
	must(t, err)
	equal(t, 0, len(page))
	page, _, err = b.List(t.Context(), kept, capture.Filter{Limit: 10})
	must(t, err)
	equal(t, stays, page[0].ID)
	owed, _, err := b.ListDeliveries(t.Context(), b.account, capture.DeliveryFilter{Limit: 10})
	must(t, err)
	batches, _, err := b.ListBatches(t.Context(), b.account, 10, "")
	must(t, err)
	equal(t, 0, len(owed)+len(batches))
	equal(t, 2, t.Hours(t)) // those of the other account
}

// testClosedAccount submits with what was known of an account before it was closed.
func testClosedAccount(t *scene) {
	b := setUp(t, ledger.Config{})
	must(t, b.keys.CloseAccount(t.Context(), b.account)) // as from another process
	refuses(t, b, savepage.CodeUnauthorized, b.submission())
	_, err := b.AcceptBatch(t.Context(), batch(b.account, 2))
	wantCode(t, savepage.CodeUnauthorized, err)
	wantCode(t, savepage.CodeNotFound, b.keys.CloseAccount(t.Context(), b.account))
	_, err = b.keys.Create(t.Context(), b.account, savepage.KeyTerms{})
	wantCode(t, savepage.CodeNotFound, err)
	_, err = b.keys.SetAccount(t.Context(), b.account, savepage.AccountTerms{})
	wantCode(t, savepage.CodeNotFound, err)
}
