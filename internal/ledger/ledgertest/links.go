package ledgertest

import (
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func linkTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"secrets":         testLinkSecrets,
		"as many as may":  testLinkSecretsEnd,
		"closed accounts": testLinksOfClosed,
	}
}

// testLinkSecrets makes two secrets, one beside the server: both sign, each for its account alone, until it is removed.
func testLinkSecrets(t *scene) {
	now := clock.Manual(whole(time.Now()))
	b := setUp(t, ledger.Config{Clock: now})
	none, err := b.LinkSecrets(t.Context(), b.account)
	must(t, err)
	equal(t, 0, len(none))
	first, err := b.CreateLinkSecret(t.Context(), b.account)
	must(t, err)
	now.Advance(time.Second)
	second, err := b.keys.CreateLinkSecret(t.Context(), b.account)
	must(t, err)
	for _, one := range []savepage.LinkSecret{first, second} {
		id, err := savepage.LinkSecretID(one.Secret)
		must(t, err)
		equal(t, one.ID, id)
		secret, who, err := b.Linked(t.Context(), one.ID)
		must(t, err)
		equal(t, []any{one.Secret, b.account, true}, []any{secret, who.Account.ID, who.May(savepage.ScopeCapture)})
		equal(t, savepage.DefaultLimits().RequestsPerMinute, who.Limits.RequestsPerMinute)
	}
	want := []savepage.LinkSecret{{ID: second.ID, CreatedAt: second.CreatedAt}, {ID: first.ID, CreatedAt: first.CreatedAt}}
	for _, ring := range []ledger.LinkRing{b.Store, b.keys} {
		found, err := ring.LinkSecrets(t.Context(), b.account)
		must(t, err)
		equal(t, want, found)
	}

	other := b.other(t)
	wantCode(t, savepage.CodeNotFound, b.RemoveLinkSecret(t.Context(), other, first.ID))
	wantCode(t, savepage.CodeNotFound, b.keys.RemoveLinkSecret(t.Context(), other, first.ID))
	theirs, err := b.LinkSecrets(t.Context(), other)
	must(t, err)
	equal(t, 0, len(theirs))
	_, _, err = b.Linked(t.Context(), first.ID)
	must(t, err)

	must(t, b.RemoveLinkSecret(t.Context(), b.account, first.ID))
	must(t, b.keys.RemoveLinkSecret(t.Context(), b.account, second.ID))
	for _, one := range []savepage.LinkSecret{first, second} {
		_, _, err = b.Linked(t.Context(), one.ID)
		wantCode(t, savepage.CodeNotFound, err)
		wantCode(t, savepage.CodeNotFound, b.RemoveLinkSecret(t.Context(), b.account, one.ID))
	}
	_, err = b.CreateLinkSecret(t.Context(), "acc_none")
	wantCode(t, savepage.CodeNotFound, err)
}

func testLinkSecretsEnd(t *scene) {
	b := setUp(t, ledger.Config{})
	var last savepage.LinkSecret
	for range savepage.MaxLinkSecrets {
		var err error
		last, err = b.CreateLinkSecret(t.Context(), b.account)
		must(t, err)
	}
	for _, ring := range []ledger.LinkRing{b.Store, b.keys} {
		_, err := ring.CreateLinkSecret(t.Context(), b.account)
		wantCode(t, savepage.CodeConflict, err)
	}
	must(t, b.RemoveLinkSecret(t.Context(), b.account, last.ID))
	_, err := b.CreateLinkSecret(t.Context(), b.account)
	must(t, err)
}

// testLinksOfClosed closes an account: its links are refused at once, and its secrets go with it.
func testLinksOfClosed(t *scene) {
	b := setUp(t, ledger.Config{})
	other := b.other(t)
	made, err := b.CreateLinkSecret(t.Context(), other)
	must(t, err)
	must(t, b.Admin().CloseAccount(t.Context(), other))
	_, _, err = b.Linked(t.Context(), made.ID)
	wantCode(t, savepage.CodeNotFound, err)
	_, err = b.CreateLinkSecret(t.Context(), other)
	wantCode(t, savepage.CodeNotFound, err)
}
