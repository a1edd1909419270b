package ledgertest

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func storeTests() map[string]func(*scene) {
	return map[string]func(*scene){
		"keeps and removes": testStores,
		"as many as may":    testStoresEnd,
		"sealed":            testStoresSealed,
		"closed accounts":   testStoresOfClosed,
	}
}

func bucketOf(name, bucket string) savepage.Store {
	return savepage.Store{
		Name: name, Bucket: bucket, Prefix: "shots/", Keys: savepage.StoreKeys{AccessKeyID: "AKIA1", SecretAccessKey: "of-" + bucket},
	}.WithDefaults()
}

func keep(t *scene, b *bench, account string, s savepage.Store) savepage.Store {
	t.Helper()
	kept, _, err := b.KeepStore(t.Context(), account, s)
	must(t, err)
	return kept
}

// testStores sets stores up, twice under one name, and removes one: each is of its account alone, and a list has no credentials.
func testStores(t *scene) {
	now := clock.Manual(whole(time.Now()))
	b := setUp(t, ledger.Config{Clock: now})
	other := b.other(t)
	first, created, err := b.KeepStore(t.Context(), b.account, bucketOf("archive", "one"))
	must(t, err)
	equal(t, []any{true, now.Now(), savepage.StoreKeys{}}, []any{created, first.CreatedAt, first.Keys})
	keep(t, b, other, bucketOf("archive", "theirs"))
	keep(t, b, b.account, bucketOf("backup", "two"))
	now.Advance(time.Minute)
	again, created, err := b.KeepStore(t.Context(), b.account, bucketOf("archive", "three"))
	must(t, err)
	equal(t, []any{false, first.CreatedAt, now.Now()}, []any{created, again.CreatedAt, again.UpdatedAt})

	want := bucketOf("archive", "three")
	want.CreatedAt, want.UpdatedAt = first.CreatedAt, now.Now()
	got, err := b.OpenStore(t.Context(), b.account, "archive")
	must(t, err)
	equal(t, want, got)
	equal(t, "of-three", got.Keys.SecretAccessKey)
	list, err := b.Stores(t.Context(), b.account)
	must(t, err)
	equal(t, "archive three, backup two", fmt.Sprintf("%s %s, %s %s", list[0].Name, list[0].Bucket, list[1].Name, list[1].Bucket))
	equal(t, savepage.StoreKeys{}, list[0].Keys)

	must(t, b.RemoveStore(t.Context(), b.account, "archive"))
	wantCode(t, savepage.CodeNotFound, b.RemoveStore(t.Context(), b.account, "archive"))
	_, err = b.OpenStore(t.Context(), b.account, "archive")
	wantCode(t, savepage.CodeNotFound, err)
	theirs, err := b.OpenStore(t.Context(), other, "archive")
	must(t, err)
	equal(t, "theirs", theirs.Bucket)
	_, _, err = b.KeepStore(t.Context(), "acc_none", bucketOf("archive", "one"))
	wantCode(t, savepage.CodeNotFound, err)
}

// testStoresEnd refuses one store too many, but not one that takes the place of another.
func testStoresEnd(t *scene) {
	b := setUp(t, ledger.Config{})
	for i := range savepage.MaxStores {
		keep(t, b, b.account, bucketOf(fmt.Sprintf("s%d", i), "one"))
	}
	_, _, err := b.KeepStore(t.Context(), b.account, bucketOf("more", "one"))
	wantCode(t, savepage.CodeConflict, err)
	keep(t, b, b.account, bucketOf("s0", "two"))
	keep(t, b, b.other(t), bucketOf("more", "one"))
}

// testStoresSealed keeps credentials so that only the master key opens them, those from before it as well.
func testStoresSealed(t *scene) {
	key := make([]byte, ledger.MasterKeyBytes)
	_, err := rand.Read(key)
	must(t, err)
	vault, err := ledger.NewVault(key)
	must(t, err)
	b := setUp(t, ledger.Config{})
	keep(t, b, b.account, bucketOf("before", "one"))
	must(t, b.Close())
	b.Store = t.open(ledger.Config{Vault: vault})
	keep(t, b, b.account, bucketOf("after", "two"))
	for name, secret := range map[string]string{"before": "of-one", "after": "of-two"} {
		got, err := b.OpenStore(t.Context(), b.account, name)
		must(t, err)
		equal(t, secret, got.Keys.SecretAccessKey)
	}
	text := strings.Join(t.Keys(t), "\n")
	if strings.Count(text, ledger.SealedPrefix) != 2 || strings.Contains(text, "of-one") || strings.Contains(text, "of-two") {
		t.Errorf("the table has %s", text)
	}
}

// testStoresOfClosed removes the stores of an account with it.
func testStoresOfClosed(t *scene) {
	b := setUp(t, ledger.Config{})
	closing, other := b.other(t), b.account
	keep(t, b, closing, bucketOf("archive", "one"))
	keep(t, b, other, bucketOf("archive", "two"))
	must(t, b.Admin().CloseAccount(t.Context(), closing))
	_, _, err := b.KeepStore(t.Context(), closing, bucketOf("more", "one"))
	wantCode(t, savepage.CodeNotFound, err)
	for done := false; !done; {
		_, done, err = b.RemoveSome(t.Context(), closing, 10, func([]string) error { return nil })
		must(t, err)
	}
	equal(t, 1, len(t.Keys(t)))
}
