package ledgertest

import (
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func keepTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"expired and forgotten": testExpired,
		"keys":                  testKeys,
		"bootstrap":             testBootstrap,
	}
}

func testExpired(t *scene) {
	b := setUp(t, ledger.Config{})
	owing := b.owe(t, "http://a.test")
	var ended []string
	for range 3 {
		id := b.accept(t, b.account)
		_, err := b.Cancel(t.Context(), b.account, id)
		must(t, err)
		ended = append(ended, id)
	}
	queued := b.accept(t, b.account)
	expired := func(before time.Time, limit int) (ids []string) {
		list, err := b.Expired(t.Context(), before, limit)
		must(t, err)
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		return ids
	}
	equal(t, ended, expired(time.Now(), 10))
	equal(t, ended[:2], expired(time.Now(), 2))
	equal(t, ended[:1], expired(b.get(t, ended[1]).CreatedAt, 10))

	_, err := b.Forget(t.Context(), b.account, queued)
	wantCode(t, savepage.CodeConflict, err)
	b.forget(t, b.account, "cap_none")
	b.forget(t, b.account, ended[0])
	_, err = b.Get(t.Context(), b.account, ended[0])
	wantCode(t, savepage.CodeNotFound, err)
	equal(t, ended[1:], expired(time.Now(), 10))
	b.forget(t, b.account, owing)
	equal(t, 0, len(b.deliveries(t, owing)))
	depth, err := b.Depth(t.Context())
	must(t, err)
	equal(t, 0, depth[1].Waiting)
}

func testKeys(t *scene) {
	now := clock.Manual(time.Now())
	b := setUp(t, ledger.Config{Clock: now})
	who, err := b.Authenticate(t.Context(), b.issued.Key)
	must(t, err)
	equal(t, principal(b.issued), who)
	if !strings.HasPrefix(b.issued.Key, "sp_") || len(b.issued.Key) != 39 || !strings.HasPrefix(b.issued.WebhookSecret, "whsec_") {
		t.Errorf("issued %+v", b.issued)
	}
	for _, wrong := range []string{"", "sp_x", b.issued.Key + "x", strings.ToLower(b.issued.Key)} {
		_, err := b.Authenticate(t.Context(), wrong)
		wantCode(t, savepage.CodeUnauthorized, err)
	}
	now.Advance(time.Millisecond) // keys are listed in the order of their times
	second, err := b.keys.Create(t.Context(), b.account, savepage.KeyTerms{})
	must(t, err)
	equal(t, "", second.WebhookSecret) // it was told when the account was made
	_, err = b.keys.Create(t.Context(), "acc_none", savepage.KeyTerms{})
	wantCode(t, savepage.CodeNotFound, err)
	b.other(t)
	keys, err := b.keys.List(t.Context(), b.account)
	must(t, err)
	equal(t, 2, len(keys))
	equal(t, true, strings.HasPrefix(b.issued.Key, keys[0].Prefix) && !keys[0].LastUsed.IsZero() && keys[1].LastUsed.IsZero())
	all, err := b.keys.List(t.Context(), "")
	must(t, err)
	equal(t, 3, len(all))

	must(t, b.keys.SetAPISecret(t.Context(), b.account, "old"))
	wantCode(t, savepage.CodeNotFound, b.keys.SetAPISecret(t.Context(), "acc_none", "old"))
	who, err = b.Authenticate(t.Context(), second.Key)
	must(t, err)
	equal(t, "old", who.Account.APISecret)

	wantCode(t, savepage.CodeNotFound, b.keys.Revoke(t.Context(), "", "sp_none"))
	must(t, b.keys.Revoke(t.Context(), "", keys[0].Prefix))
	wantCode(t, savepage.CodeNotFound, b.keys.Revoke(t.Context(), "", b.issued.Key))
	eventually(t, "the revoked key is refused", func() bool {
		now.Advance(time.Second)
		_, err := b.Authenticate(t.Context(), b.issued.Key)
		return err != nil
	})
	_, err = b.Authenticate(t.Context(), second.Key)
	must(t, err)
	must(t, b.keys.Revoke(t.Context(), "", second.Key))
}

// principal is who a key of an account without an API secret belongs to, in a ledger without limits of its own.
func principal(issued savepage.Issued) savepage.Principal {
	return savepage.Principal{
		Account: savepage.Account{ID: issued.Account}, KeyID: ledger.KeyPrefix(issued.Key),
		Scopes: issued.Scopes, Limits: savepage.DefaultLimits(),
	}
}

func testBootstrap(t *scene) {
	l := t.open(ledger.Config{})
	defer func() { must(t, l.Close()) }()
	keys := t.openKeys(nil)
	issued, created, err := keys.Bootstrap(t.Context())
	must(t, err)
	equal(t, true, created)
	who, err := l.Authenticate(t.Context(), issued.Key)
	must(t, err)
	equal(t, principal(issued), who)
	issued, created, err = keys.Bootstrap(t.Context())
	must(t, err)
	equal(t, false, created)
	equal(t, savepage.Issued{}, issued)
}
