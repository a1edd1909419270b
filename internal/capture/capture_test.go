package capture

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// records is a ledger in memory that keeps what it was told.
type records struct {
	mu        sync.Mutex // of forgotten
	submitted []Submission
	outcomes  []Outcome
	released  []Back
	expired   []savepage.Capture
	forgotten []string
	pictures  map[string]string // by id
	shared    bool              // another record has the picture of every one that is forgotten
	finishErr error
	waiting   []Claim            // what Overdue answers, once
	overdue   time.Time          // what it was asked for
	overlong  []savepage.Capture // what EndOverlong answers, once

	finishOnce bool // finishErr is the error of the first Finish only

	batches    []BatchSubmission
	oldBatches []int // what ForgetBatches answers, one after the other
}

func (r *records) Accept(_ context.Context, s Submission) (Accepted, error) {
	r.submitted = append(r.submitted, s)
	return Accepted{Capture: s.Capture}, nil
}

func (r *records) Finish(_ context.Context, _ Claim, o Outcome) error {
	err := r.finishErr
	if err == nil {
		r.outcomes = append(r.outcomes, o)
	}
	if r.finishOnce {
		r.finishErr = nil
	}
	return err
}

func (r *records) Overdue(_ context.Context, before time.Time, _ int) ([]Claim, error) {
	claims := r.waiting
	r.waiting, r.overdue = nil, before
	return claims, nil
}

func (r *records) Release(_ context.Context, _ Claim, back Back) error {
	r.released = append(r.released, back)
	return nil
}

func (r *records) Expired(_ context.Context, _ time.Time, limit int) ([]savepage.Capture, error) {
	n := min(limit, len(r.expired))
	old := r.expired[:n]
	r.expired = r.expired[n:]
	return old, nil
}

func (r *records) Forget(_ context.Context, _, id string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgotten = append(r.forgotten, id)
	if r.shared {
		return "", nil
	}
	return r.pictures[id], nil
}

type shots struct {
	shot  Shot
	err   error
	hang  bool
	apart bool // the last render was
}

func (s *shots) Render(ctx context.Context, _ savepage.Options) (Shot, error) {
	s.apart = IsApart(ctx)
	if s.hang {
		<-ctx.Done()
		return Shot{}, ctx.Err()
	}
	return s.shot, s.err
}

type store struct {
	mu  sync.Mutex
	all map[string][]byte
}

func (s *store) Put(_ context.Context, key string, from io.Reader) error {
	data, err := io.ReadAll(from)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[key] = data
	return err
}

func (s *store) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, key)
	return nil
}

func (s *store) Has(_ context.Context, key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[key] != nil
}

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

func (silent) Accepted(bool, Reuse)                                 {}
func (silent) Ended(savepage.State, savepage.Code, savepage.Timing) {}
func (silent) Retried(savepage.Code)                                {}

type flow struct {
	*Service
	ledger *records
	shots  *shots
	blobs  *store
}

func newFlow(t *testing.T) flow {
	t.Helper()
	f := flow{
		ledger: &records{pictures: map[string]string{"cap_1": "kept.png"}},
		shots:  &shots{shot: Shot{Bytes: []byte("picture"), Width: 10, Height: 20}}, blobs: &store{all: map[string][]byte{}},
	}
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
	if fault, ok := errors.AsType[*savepage.Error](err); !ok || fault.Code != savepage.CodeAddressBlocked ||
		!strings.Contains(fault.Message, "callback_url") {
		t.Fatalf("got %v", err)
	}
}

// Addresses at which a document stands, and to which failures go, are judged like every other.
func TestSubmitRefusesBlockedAddresses(t *testing.T) {
	f := newFlow(t)
	for name, o := range map[string]savepage.Options{
		"base_url":           {HTML: "<p>", BaseURL: "http://10.0.0.1/"},
		"callback_error_url": {URL: "http://a.test", CallbackURL: "http://a.test", CallbackErrorURL: "http://10.0.0.1/"},
	} {
		_, err := f.Submit(t.Context(), Request{Options: o})
		if fault, ok := errors.AsType[*savepage.Error](err); !ok || fault.Code != savepage.CodeAddressBlocked ||
			!strings.Contains(fault.Message, name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestOptionsHash changes each option by itself: all change the picture but those listed.
func TestOptionsHash(t *testing.T) {
	without := []string{
		"callback_url", "callback_format", "callback_method", "callback_on", "callback_error_url", "callback_filename", "callback_headers",
		"callback_secret", "async", "metadata", "timeout", "on_timeout", "cache_ttl", "store",
	}
	base := savepage.Options{URL: "http://a.test", Fullpage: true, Format: savepage.FormatJPEG}.WithDefaults()
	plain, err := new(hasher).hash(base)
	if err != nil {
		t.Fatal(err)
	}
	for i := range reflect.TypeFor[savepage.Options]().NumField() {
		o := base
		name, _, _ := strings.Cut(reflect.TypeFor[savepage.Options]().Field(i).Tag.Get("json"), ",")
		alter(t, reflect.ValueOf(&o).Elem().Field(i))
		hash, err := new(hasher).hash(o)
		if err != nil {
			t.Fatal(err)
		}
		if changed := hash != plain; changed == slices.Contains(without, name) {
			t.Errorf("%s changes the hash: %t", name, changed)
		}
	}
	png, max := base, base
	png.Format, max.Fullpage = savepage.FormatPNG, false
	for name, o := range map[string]*savepage.Options{"quality of a png": &png, "max_height without fullpage": &max} {
		before, _ := new(hasher).hash(*o)
		o.Quality, o.MaxHeight = 20, 300
		if o == &png {
			o.MaxHeight = 0
		} else {
			o.Quality = base.Quality
		}
		if after, _ := new(hasher).hash(*o); before != after {
			t.Errorf("%s changes the hash", name)
		}
	}
}

// alter gives an option another value than it has.
func alter(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int:
		v.SetInt(v.Int() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem())
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[savepage.Metadata]() {
			v.SetBytes([]byte("1"))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	default:
		t.Fatalf("no other value is known for a %s", v.Type())
	}
}

func TestSubmitMaySharePictures(t *testing.T) {
	f := newFlow(t)
	submit := func(o savepage.Options) Submission {
		if _, err := f.Submit(t.Context(), Request{Account: "acc_1", Options: o}); err != nil {
			t.Fatal(err)
		}
		return f.ledger.submitted[len(f.ledger.submitted)-1]
	}
	alone := submit(savepage.Options{URL: "http://a.test"})
	if alone.Flight != "" || alone.Owe != nil || alone.OptionsHash == "" {
		t.Errorf("without cache_ttl: %+v", alone)
	}
	shared := submit(savepage.Options{URL: "http://a.test", CacheTTL: 60, CallbackURL: "http://b.test"})
	age := shared.Capture.CreatedAt.Sub(shared.KeptSince)
	if shared.Flight == "" || shared.OptionsHash != alone.OptionsHash || age != time.Minute {
		t.Errorf("with cache_ttl: %+v", shared)
	}
	if slow := submit(savepage.Options{URL: "http://a.test", CacheTTL: 60, Timeout: 90000}); slow.Flight == shared.Flight ||
		slow.OptionsHash != shared.OptionsHash {
		t.Error("a capture with another timeout shares the render, or not its picture")
	}
	c := shared.Capture
	c.State, c.Picture = savepage.Success, &savepage.Picture{Name: "kept.png"}
	owed, err := shared.Owe(c)
	if err != nil || len(owed) != 1 || !strings.Contains(string(owed[0].Body), "kept.png") {
		t.Errorf("owed %+v, %v", owed, err)
	}
}

func TestBatchesMaySharePictures(t *testing.T) {
	f := newFlow(t)
	page := savepage.Options{URL: "http://a.test", CacheTTL: 60}
	if _, err := f.SubmitBatch(t.Context(), BatchRequest{Account: "acc_1", Captures: []savepage.Options{page, page}}); err != nil {
		t.Fatal(err)
	}
	rows := f.ledger.batches[0].Captures
	if rows[0].Flight == "" || rows[0].Flight != rows[1].Flight || rows[0].Owe == nil || rows[1].KeptSince.IsZero() {
		t.Errorf("%+v", rows)
	}
}

func TestRunOwesThoseThatShare(t *testing.T) {
	f := newFlow(t)
	if err := f.Run(t.Context(), claim(savepage.Options{URL: "http://a.test", CacheTTL: 60})); err != nil {
		t.Fatal(err)
	}
	follower := claim(savepage.Options{URL: "http://a.test", CacheTTL: 60, CallbackURL: "http://b.test/other"}).Capture
	follower.State = savepage.Success
	owed, err := f.ledger.outcomes[0].Owe(follower)
	if err != nil || len(owed) != 1 || owed[0].URL != "http://b.test/other" {
		t.Errorf("owed %+v, %v", owed, err)
	}
}

func TestRemoveKeepsASharedPicture(t *testing.T) {
	f := newFlow(t)
	f.blobs.all["kept.png"] = []byte("k")
	c := savepage.Capture{ID: "cap_1", State: savepage.Success, Picture: &savepage.Picture{Name: "kept.png"}}
	f.ledger.shared = true
	if err := f.Remove(t.Context(), c); err != nil || len(f.blobs.all) != 1 {
		t.Fatalf("%v, left %v", err, f.blobs.all)
	}
	f.ledger.shared = false
	if err := f.Remove(t.Context(), c); err != nil || len(f.blobs.all) != 0 {
		t.Fatalf("%v, left %v", err, f.blobs.all)
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
	if o.State != savepage.Success || o.Picture == nil || string(f.blobs.all[o.Picture.Name]) != "picture" {
		t.Fatalf("outcome %+v, stored %v", o, f.blobs.all)
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

func TestRunTellsTheReportOfAPageThatFailed(t *testing.T) {
	f := newFlow(t)
	f.shots.shot, f.shots.err = Shot{Loaded: true, Report: savepage.Report{HTTPStatus: 404}}, savepage.Errorf(savepage.CodeHTTPError, "404")
	if err := f.Run(t.Context(), claim(savepage.Options{URL: "http://a.test", CallbackURL: "http://b.test"})); err != nil {
		t.Fatal(err)
	}
	o := f.ledger.outcomes[0]
	if o.Report == nil || o.Report.HTTPStatus != 404 || o.Picture != nil || len(f.blobs.all) != 0 ||
		!strings.Contains(string(o.Deliveries[0].Body), `"http_status":404`) {
		t.Errorf("outcome %+v", o)
	}
	f.shots.shot.Loaded = false
	if err := f.Run(t.Context(), claim(savepage.Options{URL: "http://a.test"})); err != nil {
		t.Fatal(err)
	}
	if o := f.ledger.outcomes[1]; o.Report != nil {
		t.Errorf("a report without a page: %+v", o.Report)
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

func TestRunThatLostItsClaimRemovesItsPicture(t *testing.T) {
	f := newFlow(t)
	f.ledger.finishErr = ErrLost
	if err := f.Run(t.Context(), claim(savepage.Options{URL: "http://a.test"})); !errors.Is(err, ErrLost) {
		t.Fatalf("got %v", err)
	}
	if len(f.blobs.all) != 0 {
		t.Errorf("kept %v", f.blobs.all)
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
		f.blobs.all[name] = []byte("x")
		f.ledger.pictures[name] = name
		f.ledger.expired = append(f.ledger.expired, savepage.Capture{
			ID: name, State: savepage.Success, Picture: &savepage.Picture{Name: name},
		})
	}
	removed, err := f.Expire(t.Context(), time.Now())
	if err != nil || removed != expireBatch+5 || len(f.blobs.all) != 0 || len(f.ledger.forgotten) != removed {
		t.Errorf("removed %d, %v; %d pictures left, %d records gone", removed, err, len(f.blobs.all), len(f.ledger.forgotten))
	}
}

func TestRemoveRefusesARunningCapture(t *testing.T) {
	f := newFlow(t)
	err := f.Remove(t.Context(), savepage.Capture{ID: "cap_1", State: savepage.Running})
	if fault, ok := errors.AsType[*savepage.Error](err); !ok || fault.Code != savepage.CodeConflict {
		t.Errorf("got %v", err)
	}
}

func TestIDsSortByTime(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first, second := NewID("cap_", at), NewID("cap_", at.Add(time.Millisecond))
	if first >= second || len(first) != 30 {
		t.Errorf("%q, %q", first, second)
	}
}
