package ledger

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/savepage/savepage"
)

func TestKeys(t *testing.T) {
	shape := regexp.MustCompile(`^sp_[0-9A-Za-z]{36}$`)
	seen := map[byte]bool{}
	for range 200 {
		key := NewKey()
		if !shape.MatchString(key) {
			t.Fatalf("key %q", key)
		}
		for _, c := range []byte(key[3:]) {
			seen[c] = true
		}
	}
	wrong := []byte(NewKey())
	wrong[10] = base62[(strings.IndexByte(base62, wrong[10])+1)%62]
	for key, mistyped := range map[string]bool{
		NewKey(): false, string(wrong): true, NewKey()[:33]: false, "sp_" + strings.Repeat("0", 30): false, "": false, NewKey() + "x": false,
	} {
		if Mistyped(key) != mistyped {
			t.Errorf("%q counts as mistyped: %v", key, !mistyped)
		}
	}
	if len(seen) != len(base62) {
		t.Errorf("keys use %d characters of %d", len(seen), len(base62))
	}
	if got := KeyPrefix("sp_12345678secret"); got != "sp_12345678" {
		t.Errorf("prefix %q", got)
	}
	if got := KeyPrefix("sp_1"); got != "sp_1" {
		t.Errorf("prefix %q", got)
	}
	if _, err := savepage.SignStandard(NewSecret(), "msg_1", time.Now(), nil); err != nil {
		t.Error(err)
	}
	if one, other := NewSecret(), NewSecret(); one == other || len(one) < 40 {
		t.Error("secrets are not random")
	}
}

func TestKeyCache(t *testing.T) {
	cache, now := NewKeyCache(2*time.Second), time.Now()
	hash := HashKey("a")
	if _, found := cache.Get(hash, now); found {
		t.Error("found in an empty cache")
	}
	cache.Put(hash, savepage.Principal{KeyID: "sp_a"}, now, time.Time{})
	if who, found := cache.Get(hash, now.Add(2*time.Second-1)); !found || who.KeyID != "sp_a" {
		t.Error("not found while fresh")
	}
	if _, found := cache.Get(hash, now.Add(2*time.Second)); found {
		t.Error("found when old")
	}
	cache.Put(hash, savepage.Principal{}, now, now.Add(time.Second))
	if _, found := cache.Get(hash, now.Add(time.Second)); found {
		t.Error("found after its expiry")
	}
	cache.Put(hash, savepage.Principal{}, now, time.Time{})
	cache.Clear()
	if _, found := cache.Get(hash, now); found {
		t.Error("found after all was forgotten")
	}
	for i := range keyCacheSize + 10 {
		cache.Put(HashKey(strings.Repeat("k", i%100)+string(rune('a'+i%26))+time.Duration(i).String()), savepage.Principal{}, now, time.Time{})
	}
	if len(cache.entries) > keyCacheSize {
		t.Errorf("%d entries", len(cache.entries))
	}
}

func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var batches [][]int
		proceed := make(chan bool)
		g := NewGroup(4, func(batch []int) {
			batches = append(batches, slices.Clone(batch))
			<-proceed
		})
		add := func(i int) {
			if err := g.Add(t.Context(), i); err != nil {
				t.Error(err)
			}
		}
		add(1)
		synctest.Wait() // a lone one is being applied
		for i := 2; i <= 5; i++ {
			add(i)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Add(short, 6); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a full group took another: %v", err)
		}
		go add(6)
		synctest.Wait()
		proceed <- true
		synctest.Wait()
		add(7)
		close(proceed)
		g.Close()
		g.Close()
		if err := g.Add(t.Context(), 8); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed group: %v", err)
		}
		if want := [][]int{{1}, {2, 3, 4, 5}, {6, 7}}; !slices.EqualFunc(want, batches, slices.Equal[[]int]) {
			t.Errorf("batches %v", batches)
		}
	})
}

// TestWaiters runs in a bubble, where a wait that nobody ends fails at once.
func TestWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Waiters
		w.Wake("a")
		one, leaveOne := w.Join("a")
		two, leaveTwo := w.Join("a")
		other, leaveOther := w.Join("b")
		leaveOne()
		w.Wake("a")
		<-one
		<-two
		select {
		case <-other:
			t.Error("woken for another")
		default:
		}
		next, leaveNext := w.Join("a")
		leaveTwo() // late: it must not take the next one off
		w.Wake("a")
		<-next
		leaveNext()
		leaveOther()
		if len(w.byID) != 0 {
			t.Errorf("left behind: %v", w.byID)
		}
	})
}
