package capture

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// records is a ledger in memory that keeps what it was told.
type records struct {
	submitted []Submission
	outcomes  []Outcome
	released  []bool // free or not
	expired   []savepage.Capture
	forgotten []string
	finishErr error

	batches    []BatchSubmission
	oldBatches []int // what ForgetBatches answers, one after the other
}

func (r *records) Accept(_ context.Context, s Submission) (Accepted, error) {
	r.submitted = append(r.submitted, s)
	return Accepted{Capture: s.Capture}, nil
}

func (r *records) Finish(_ context.Context, _ Claim, o Outcome) error {
	if r.finishErr == nil {
		r.outcomes = append(r.outcomes, o)
	}
	return r.finishErr
}

func (r *records) Release(_ context.Context, _ Claim, _ time.Duration, free bool) error {
	r.released = append(r.released, free)
	return nil
}

func (r *records) Expired(_ context.Context, _ time.Time, limit int) ([]savepage.Capture, error) {
	n := min(limit, len(r.expired))
	old := r.expired[:n]
	r.expired = r.expired[n:]
	return old, nil
}

func (r *records) Forget(_ context.Context, _, id string) error {
	r.forgotten = append(r.forgotten, id)
	return nil
}

type shots struct {
	shot Shot
	err  error
	hang bool
}

func (s *shots) Render(ctx context.Context, _ savepage.Options) (Shot, error) {
	if s.hang {
		<-ctx.Done()
		return Shot{}, ctx.Err()
	}
	return s.shot, s.err
}

type store map[string][]byte

func (s store) Put(_ context.Context, key string, data []byte) error { s[key] = data; return nil }
func (s store) Delete(_ context.Context, key string) error           { delete(s, key); return nil }

type anywhere struct{}

func (anywhere) Admit(raw string) (string, error) {
	switch {
	case strings.Contains(raw, "10.0.0.1"):
		return "", savepage.Errorf(savepage.CodeAddressBlocked, "10.0.0.1 is private")
	case !strings.HasPrefix(raw, "http"):
		return "", savepage.Errorf(savepage.CodeInvalidRequest, "must be an http or https URL")
	}
	return strings.ToLower(raw), nil
}

type silent struct{}

func (silent) Accepted(bool)                                        {}
func (silent) Ended(savepage.State, savepage.Code, savepage.Timing) {}
func (silent) Retried(savepage.Code)                                {}

type flow struct {
	*Service
	ledger *records
	shots  *shots
	blobs  store
}

func newFlow(t *testing.T) flow {
	t.Helper()
	f := flow{ledger: &records{}, shots: &shots{shot: Shot{Bytes: []byte("picture"), Width: 10, Height: 20}}, blobs: store{}}
	cfg := DefaultConfig()
	cfg.Links = Links{PublicURL: "http://api.test", CDNURL: "http://cdn.test"}
	parts := Parts{Ledger: f.ledger, Batches: f.ledger, Renderer: f.shots, Blobs: f.blobs, Guard: anywhere{}, Observer: silent{}}
	f.Service = New(parts, cfg, slog.New(slog.DiscardHandler))
	return f
}

func claim(o savepage.Options) Claim {
	return Claim{Spent: 1, Capture: savepage.Capture{
		ID: "cap_1", Account: "acc_1", State: savepage.Running, Attempt: 1, Options: o.WithDefaults(), CreatedAt: time.Now(),
	}}
}

func TestSubmitRecordsTheNormalForm(t *testing.T) {
	f := newFlow(t)
	accepted, err := f.Submit(t.Context(), Request{Account: "acc_1", Options: savepage.Options{URL: "http://EXAMPLE.test"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.ledger.submitted) != 1 {
		t.Fatalf("recorded %d submissions", len(f.ledger.submitted))
	}
	got := f.ledger.submitted[0].Capture
	if got.Options.URL != "http://example.test" || got.Options.Width != 1440 || got.State != savepage.Queued {
		t.Errorf("recorded %+v", got)
	}
	if !strings.HasPrefix(accepted.Capture.ID, "cap_") || len(accepted.Capture.ID) != 30 {
		t.Errorf("id %q", accepted.Capture.ID)
	}
}

func TestSubmitNamesEveryWrongField(t *testing.T) {
	f := newFlow(t)
	_, err := f.Submit(t.Context(), Request{Options: savepage.Options{
		URL: "ftp://x", CallbackURL: "gopher://y", Transparent: true, Format: savepage.FormatJPEG,
		Headers: savepage.Headers{"Host": "x"},
	}})
	fault, ok := errors.AsType[*savepage.Error](err)
	if !ok || fault.Code != savepage.CodeInvalidRequest {
		t.Fatalf("got %v", err)
	}
	var named []string
	for _, field := range fault.Fields {
		named = append(named, field.Location)
	}
	slices.Sort(named)
	if want := []string{"callback_url", "headers.Host", "transparent", "url"}; !slices.Equal(named, want) {
		t.Errorf("named %v, want %v", named, want)
	}
	if len(f.ledger.submitted) != 0 {
		t.Error("a wrong request was recorded")
	}
}

func TestSubmitRefusesABlockedCallback(t *testing.T) {
	f := newFlow(t)
	_, err := f.Submit(t.Context(), Request{Options: savepage.Options{URL: "http://a.test", CallbackURL: "http://10.0.0.1/"}})
	if fault, ok := errors.AsType[*savepage.Error](err); !ok || fault.Code != savepage.CodeAddressBlocked || !strings.Contains(fault.Message, "callback_url") {
		t.Fatalf("got %v", err)
	}
}

func TestOptionsHashIgnoresWhoIsTold(t *testing.T) {
	f := newFlow(t)
	same, err := f.Key(savepage.Options{URL: "http://a.test"})
	if err != nil {
		t.Fatal(err)
	}
	told, _ := f.Key(savepage.Options{URL: "http://a.test", CallbackURL: "http://b.test", Async: true, Metadata: []byte(`"m"`)})
	other, _ := f.Key(savepage.Options{URL: "http://a.test", Width: 800})
	if same != told {
		t.Error("the callback changes the hash")
	}
	if same == other {
		t.Error("the width does not change the hash")
	}
}

func TestRunEndsWithPictureAndOwedCallback(t *testing.T) {
	f := newFlow(t)
	if err := f.Run(t.Context(), claim(savepage.Options{URL: "http://a.test", CallbackURL: "http://b.test/hook"})); err != nil {
		t.Fatal(err)
	}
	if len(f.ledger.outcomes) != 1 {
		t.Fatalf("%d outcomes", len(f.ledger.outcomes))
	}
	o := f.ledger.outcomes[0]
	if o.State != savepage.Success || o.Picture == nil || string(f.blobs[o.Picture.Name]) != "picture" {
		t.Fatalf("outcome %+v, stored %v", o, f.blobs)
	}
	if len(o.Deliveries) != 1 || o.Deliveries[0].URL != "http://b.test/hook" || o.Deliveries[0].State != savepage.Pending {
		t.Fatalf("owed %+v", o.Deliveries)
	}
	var event map[string]any
	if err := json.Unmarshal(o.Deliveries[0].Body, &event); err != nil {
		t.Fatal(err)
	}
	if event["status"] != "success" || event["image"] != "http://cdn.test/captures/"+o.Picture.Name {
		t.Errorf("event %v", event)
	}
}

func TestRunWithoutCallbackOwesNothing(t *testing.T) {
	f := newFlow(t)
	if err := f.Run(t.Context(), claim(savepage.Options{URL: "http://a.test"})); err != nil {
		t.Fatal(err)
	}
	if len(f.ledger.outcomes[0].Deliveries) != 0 {
		t.Errorf("owed %+v", f.ledger.outcomes[0].Deliveries)
	}
}

func TestRunRecordsThePagesFault(t *testing.T) {
	f := newFlow(t)
	f.shots.err = savepage.Errorf(savepage.CodeNameNotResolved, "no such host")
	if err := f.Run(t.Context(), claim(savepage.Options{URL: "http://a.test", CallbackURL: "http://b.test"})); err != nil {
		t.Fatal(err)
	}
	o := f.ledger.outcomes[0]
	if o.State != savepage.Failed || o.Error.Code != savepage.CodeNameNotResolved || o.Picture != nil {
		t.Errorf("outcome %+v", o)
	}
	if !strings.Contains(string(o.Deliveries[0].Body), `"failed"`) {
		t.Errorf("event %s", o.Deliveries[0].Body)
	}
}

func TestRunHidesOurOwnFaults(t *testing.T) {
	f := newFlow(t)
	f.shots.err = errors.New("disk on fire at /secret")
	c := claim(savepage.Options{URL: "http://a.test"})
	c.Spent = f.cfg.MaxAttempts
	if err := f.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if got := f.ledger.outcomes[0].Error; got.Code != savepage.CodeInternal || strings.Contains(got.Message, "secret") {
		t.Errorf("error %+v", got)
	}
}

func TestRunTriesAgain(t *testing.T) {
	cases := map[string]struct {
		code           savepage.Code
		spent, attempt int
		released       []bool
	}{
		"page crashed once":      {savepage.CodePageCrashed, 1, 1, []bool{false}},
		"page crashed twice":     {savepage.CodePageCrashed, 2, 2, nil},
		"browser lost":           {savepage.CodeBrowserLost, 2, 2, []bool{true}},
		"browser lost all along": {savepage.CodeBrowserLost, 1, 6, nil},
		"a fault of the page":    {savepage.CodeTLSError, 1, 1, nil},
		"selector is not there":  {savepage.CodeSelectorNotFound, 1, 1, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFlow(t)
			f.shots.err = savepage.Errorf(c.code, "x")
			held := claim(savepage.Options{URL: "http://a.test"})
			held.Spent, held.Capture.Attempt = c.spent, c.attempt
			if err := f.Run(t.Context(), held); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(f.ledger.released, c.released) {
				t.Errorf("released %v, want %v", f.ledger.released, c.released)
			}
			if (len(f.ledger.outcomes) == 0) != (len(c.released) > 0) {
				t.Errorf("outcomes %v", f.ledger.outcomes)
			}
		})
	}
}

func TestRunThatLostItsClaimRemovesItsPicture(t *testing.T) {
	f := newFlow(t)
	f.ledger.finishErr = ErrLost
	if err := f.Run(t.Context(), claim(savepage.Options{URL: "http://a.test"})); !errors.Is(err, ErrLost) {
		t.Fatalf("got %v", err)
	}
	if len(f.blobs) != 0 {
		t.Errorf("kept %v", f.blobs)
	}
}

func TestRunThatIsCanceledRecordsNothing(t *testing.T) {
	f := newFlow(t)
	f.shots.hang = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Run(ctx, claim(savepage.Options{URL: "http://a.test"})); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if len(f.ledger.outcomes)+len(f.ledger.released) != 0 {
		t.Error("something was recorded")
	}
}

func TestRunEndsACaptureThatEndsTheService(t *testing.T) {
	f := newFlow(t)
	c := claim(savepage.Options{URL: "http://a.test"})
	c.Capture.Attempt, c.Spent = f.cfg.MaxTakes+1, f.cfg.MaxTakes+1
	if err := f.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if got := f.ledger.outcomes[0]; got.State != savepage.Failed || got.Error.Code != savepage.CodeInternal {
		t.Errorf("outcome %+v", got)
	}
}

func TestRunCutsOffARendererThatHangs(t *testing.T) {
	f := newFlow(t)
	f.shots.hang = true
	f.cfg.Slack = 0
	c := claim(savepage.Options{URL: "http://a.test"})
	c.Capture.Options.Timeout = 1
	if err := f.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if got := f.ledger.outcomes[0].Error; got == nil || got.Code != savepage.CodeRenderTimeout {
		t.Errorf("error %v", got)
	}
}

func TestExpireRemovesPicturesAndRecords(t *testing.T) {
	f := newFlow(t)
	for range expireBatch + 5 {
		name := newName(savepage.FormatPNG)
		f.blobs[name] = []byte("x")
		f.ledger.expired = append(f.ledger.expired, savepage.Capture{
			ID: name, State: savepage.Success, Picture: &savepage.Picture{Name: name},
		})
	}
	removed, err := f.Expire(t.Context(), time.Now())
	if err != nil || removed != expireBatch+5 || len(f.blobs) != 0 || len(f.ledger.forgotten) != removed {
		t.Errorf("removed %d, %v; %d pictures left, %d records gone", removed, err, len(f.blobs), len(f.ledger.forgotten))
	}
}

func TestRemoveRefusesARunningCapture(t *testing.T) {
	f := newFlow(t)
	err := f.Remove(t.Context(), savepage.Capture{ID: "cap_1", State: savepage.Running})
	if fault, ok := errors.AsType[*savepage.Error](err); !ok || fault.Code != savepage.CodeConflict {
		t.Errorf("got %v", err)
	}
}

type shelf struct{ stored, known []string }

func (s shelf) Stale(context.Context, time.Time) ([]string, error) { return s.stored, nil }

func (s shelf) Known(_ context.Context, names []string) (map[string]bool, error) {
	found := map[string]bool{}
	for _, name := range names {
		found[name] = slices.Contains(s.known, name)
	}
	return found, nil
}

func TestSweepRemovesOnlyOrphans(t *testing.T) {
	f := newFlow(t)
	f.blobs["kept.png"], f.blobs["orphan.png"] = []byte("k"), []byte("o")
	removed, err := f.Sweep(t.Context(), shelf{stored: []string{"kept.png", "orphan.png"}, known: []string{"kept.png"}}, time.Now())
	if err != nil || removed != 1 {
		t.Fatalf("removed %d, %v", removed, err)
	}
	if _, kept := f.blobs["kept.png"]; !kept || len(f.blobs) != 1 {
		t.Errorf("left %v", f.blobs)
	}
}

func TestIDsSortByTime(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first, second := NewID("cap_", at), NewID("cap_", at.Add(time.Millisecond))
	if first >= second || len(first) != 30 {
		t.Errorf("%q, %q", first, second)
	}
}
