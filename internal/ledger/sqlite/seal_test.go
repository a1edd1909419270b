package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
	"github.com/savepage/savepage/internal/ledger/sqlite"
)

const (
	ownSecret = "whsec_b3duIHNlY3JldCBvZiBvbmUgY2FwdHVyZSE="
	ownHeader = "Bearer of-the-receiver"
)

func vault(t *testing.T, keys ...byte) ledger.Vault {
	t.Helper()
	var all [][]byte
	for _, b := range keys {
		all = append(all, bytes.Repeat([]byte{b}, ledger.MasterKeyBytes))
	}
	v, err := ledger.NewVault(all[0], all[1:]...)
	check(t, err)
	return v
}

// safe is a ledger with one of every secret: the texts that must not lie open in its folder.
type safe struct {
	dir      string
	account  string
	key      string
	capture  string
	old, new string
	api      string
	link     savepage.LinkSecret
	bucket   string
}

func newSafe(t *testing.T, v ledger.Vault) safe {
	t.Helper()
	s := safe{dir: sqlite.NewFolder(t), api: "the-secret-of-the-older-API", bucket: "the-secret-of-the-bucket"}
	l, err := sqlite.At(s.dir).Open(t.Context(), ledger.Config{Vault: v}, logger(t))
	check(t, err)
	issued, _, err := l.Bootstrap(t.Context())
	check(t, err)
	s.account, s.key, s.old = issued.Account, issued.Key, issued.WebhookSecret
	keys, err := sqlite.At(s.dir).OpenKeys(t.Context(), v, clock.System())
	check(t, err)
	check(t, keys.SetAPISecret(t.Context(), s.account, s.api))
	check(t, keys.Close())
	made, err := l.RotateSecret(t.Context(), s.account, time.Hour)
	check(t, err)
	s.new = made.Secret
	s.link, err = l.CreateLinkSecret(t.Context(), s.account)
	check(t, err)
	_, _, err = l.KeepStore(t.Context(), s.account, savepage.Store{Name: "a", Keys: savepage.StoreKeys{SecretAccessKey: s.bucket}})
	check(t, err)
	sub := benchSubmission(s.account, time.Now())
	sub.Capture.Options.CallbackURL, sub.Capture.Options.CallbackSecret = "http://a.test/", ownSecret
	sub.Capture.Options.CallbackHeaders = savepage.Headers{"Authorization": ownHeader}
	_, err = l.Accept(t.Context(), sub)
	check(t, err)
	s.capture = sub.Capture.ID
	check(t, l.Close())
	return s
}

func (s safe) texts() []string {
	texts := []string{ownSecret[6:], ownHeader}
	for _, secret := range []string{s.old, s.new, s.api, s.link.Secret, s.bucket} {
		if secret != "" {
			texts = append(texts, strings.TrimPrefix(secret, savepage.SecretPrefix))
		}
	}
	return texts
}

// open reports which secrets lie open in the files of the folder.
func (s safe) open(t *testing.T) (found []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	check(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		check(t, err)
		for _, text := range s.texts() {
			if bytes.Contains(content, []byte(text)) {
				found = append(found, text+" in "+filepath.Base(file))
			}
		}
	}
	return found
}

// works opens the safe with a vault, and delivers what is owed with the secrets that it had from the beginning.
func (s safe) works(t *testing.T, v ledger.Vault) {
	t.Helper()
	l, err := sqlite.At(s.dir).Open(t.Context(), ledger.Config{Vault: v}, logger(t))
	check(t, err)
	defer func() { check(t, l.Close()) }()
	signing, err := l.Signing(t.Context(), s.account)
	check(t, err)
	who, err := l.Authenticate(t.Context(), s.key)
	check(t, err)
	if len(signing) != 2 || signing[0] != s.new || signing[1] != s.old || who.Account.APISecret != s.api {
		t.Errorf("signing %q, API secret %q", signing, who.Account.APISecret)
	}
	link, _, err := l.Linked(t.Context(), s.link.ID)
	check(t, err)
	if link != s.link.Secret {
		t.Errorf("link secret %q", link)
	}
	store, err := l.OpenStore(t.Context(), s.account, "a")
	check(t, err)
	if store.Keys.SecretAccessKey != s.bucket {
		t.Errorf("secret of the bucket %q", store.Keys.SecretAccessKey)
	}
	got := make(chan []string, 1)
	defer work(t, l, ledger.Handlers{
		Render: func(ctx context.Context, c capture.Claim) error {
			d := savepage.Delivery{
				ID: "msg_" + c.Capture.ID, CaptureID: c.Capture.ID, Account: s.account, URL: "http://a.test/",
				Body: []byte("{}"), CreatedAt: time.Now(),
			}
			return l.Finish(ctx, c, capture.Outcome{State: savepage.Success, FinishedAt: time.Now(), Deliveries: []savepage.Delivery{d}})
		},
		Deliver: func(_ context.Context, d savepage.Delivery, secrets []string) savepage.Verdict {
			got <- append(secrets, d.Headers["Authorization"])
			return savepage.Verdict{State: savepage.Delivered, Attempt: savepage.Attempt{At: time.Now()}}
		},
	})()
	if used := <-got; len(used) != 2 || used[0] != ownSecret || used[1] != ownHeader {
		t.Errorf("delivered with %q", used)
	}
}

// refused opens the safe and expects to fail.
func (s safe) refused(t *testing.T, v ledger.Vault, want error) {
	t.Helper()
	l, err := sqlite.At(s.dir).Open(t.Context(), ledger.Config{Vault: v}, logger(t))
	if err == nil {
		check(t, l.Close())
	}
	if !errors.Is(err, want) {
		t.Errorf("opened with %v, want %v", err, want)
	}
}

func TestSecretsAreSealedFromTheStart(t *testing.T) {
	t.Parallel()
	s := newSafe(t, vault(t, 1))
	if found := s.open(t); len(found) > 0 {
		t.Fatalf("open: %q", found)
	}
	s.refused(t, ledger.Vault{}, ledger.ErrNoMasterKey)
	s.refused(t, vault(t, 2), ledger.ErrOtherMasterKey)
	s.works(t, vault(t, 1))
	if found := s.open(t); len(found) > 0 {
		t.Errorf("open after a delivery: %q", found)
	}
}

// Plain secrets are sealed at the first start with a key, and nothing of them stays in the files.
func TestPlainSecretsAreSealedAtTheNextStart(t *testing.T) {
	t.Parallel()
	s := newSafe(t, ledger.Vault{})
	if found := s.open(t); len(found) < 5 {
		t.Fatalf("the test is blind: only %q lie open", found)
	}
	l, err := sqlite.At(s.dir).Open(t.Context(), ledger.Config{Vault: vault(t, 1)}, logger(t))
	check(t, err)
	if found := s.open(t); len(found) > 0 {
		t.Errorf("open while it is served: %q", found)
	}
	check(t, l.Close())
	if found := s.open(t); len(found) > 0 {
		t.Errorf("open: %q", found)
	}
	s.refused(t, ledger.Vault{}, ledger.ErrNoMasterKey)
	s.works(t, vault(t, 1))
}

// A new master key takes over while the old one is given too; then the old one is not needed any more.
func TestMasterKeyIsRotated(t *testing.T) {
	t.Parallel()
	s := newSafe(t, vault(t, 1))
	l, err := sqlite.At(s.dir).Open(t.Context(), ledger.Config{Vault: vault(t, 2, 1)}, logger(t))
	check(t, err)
	check(t, l.Close())
	s.refused(t, vault(t, 1), ledger.ErrOtherMasterKey)
	s.works(t, vault(t, 2))
}

// What touches secrets beside a server must seal as the server does.
func TestKeysBesideAServer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server, command ledger.Vault
		works           bool
	}{
		"both with the key":     {vault(t, 1), vault(t, 1), true},
		"both without":          {ledger.Vault{}, ledger.Vault{}, true},
		"command without":       {vault(t, 1), ledger.Vault{}, false},
		"command with another":  {vault(t, 1), vault(t, 2), false},
		"server without":        {ledger.Vault{}, vault(t, 1), false},
		"command with both":     {vault(t, 1), vault(t, 1, 2), true},
		"server after rotation": {vault(t, 2, 1), vault(t, 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := sqlite.NewFolder(t)
			l := open(t, dir, ledger.Config{Vault: c.server})
			issued, _, err := l.Bootstrap(t.Context())
			check(t, err)
			keys, err := sqlite.At(dir).OpenKeys(t.Context(), c.command, clock.System())
			check(t, err)
			defer keys.Close()
			_, err1 := keys.Create(t.Context(), "", savepage.KeyTerms{})
			_, err2 := keys.RotateSecret(t.Context(), issued.Account, time.Hour)
			err3 := keys.SetAPISecret(t.Context(), issued.Account, "x")
			for _, err := range []error{err1, err2, err3} {
				if (err == nil) != c.works {
					t.Errorf("got %v", err)
				}
			}
			// What needs no secret works all the same.
			if _, err := keys.Create(t.Context(), issued.Account, savepage.KeyTerms{}); err != nil {
				t.Error(err)
			}
			if _, err := keys.List(t.Context(), ""); err != nil {
				t.Error(err)
			}
			if _, err := l.Signing(t.Context(), issued.Account); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestManySecretsAreSealed(t *testing.T) {
	t.Parallel()
	dir := sqlite.NewFolder(t)
	l, err := sqlite.At(dir).Open(t.Context(), ledger.Config{}, logger(t))
	check(t, err)
	issued, _, err := l.Bootstrap(t.Context())
	check(t, err)
	const many = 1203 // they are sealed in several transactions
	for rest := many; rest > 0; rest -= min(rest, capture.MaxBatch) {
		now := time.Now()
		b := capture.BatchSubmission{Batch: savepage.Batch{ID: capture.NewID("bat_", now), Account: issued.Account, CreatedAt: now}}
		for range min(rest, capture.MaxBatch) {
			sub := benchSubmission(issued.Account, now)
			sub.Capture.BatchID = b.Batch.ID
			sub.Capture.Options.CallbackURL, sub.Capture.Options.CallbackSecret = "http://a.test/", ownSecret
			b.Captures = append(b.Captures, sub)
		}
		_, err := l.AcceptBatch(t.Context(), b)
		check(t, err)
	}
	count := func(condition string) (n int) {
		check(t, raw(t, dir).QueryRowContext(t.Context(), `SELECT count(*) FROM private WHERE sealed `+condition+` 'sealed:%'`).Scan(&n))
		return n
	}
	check(t, l.Close())
	sealing := open(t, dir, ledger.Config{Vault: vault(t, 1)})
	check(t, sealing.Ready(t.Context()))
	if found := (safe{dir: dir}).open(t); len(found) > 0 {
		t.Errorf("open: %q", found)
	}
	if plain, sealed := count("NOT LIKE"), count("LIKE"); plain != 0 || sealed != many {
		t.Errorf("%d plain, %d sealed", plain, sealed)
	}
}
