package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// TestHeadsLookAtFew has 10,000 accounts wait: no more of them are looked at than are returned, and they are the first ones.
func TestHeadsLookAtFew(t *testing.T) {
	var heads Heads
	const accounts = 10_000
	for i := range accounts {
		turn := (i * 7919) % accounts
		heads.Note(fmt.Sprint("acc_", turn), int64(turn), "cap")
	}
	looked := 0
	read := func(account string) (Head, bool, error) {
		looked++
		var turn int64
		_, err := fmt.Sscanf(account, "acc_%d", &turn)
		return Head{Account: account, Turn: turn, ID: "cap"}, true, err
	}
	holding := map[string]int{"acc_0": 2, "acc_9999": 1}
	for range 2 {
		got, err := heads.First(3, holding, read)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, func(a, b Head) int { return cmp.Compare(a.Turn, b.Turn) })
		var turns []int64
		for _, head := range got {
			turns = append(turns, head.Turn)
		}
		if want := []int64{0, 1, 2, 3, 9999}; !slices.Equal(want, turns) {
			t.Errorf("the heads are at %v, want %v", turns, want)
		}
	}
	if looked != 2*5 {
		t.Errorf("%d accounts were looked at", looked)
	}
}

// TestHeadsOfAccountsThatChange compares with a look at everything while captures come, go and are given back.
func TestHeadsOfAccountsThatChange(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var heads Heads
	waiting := map[string][]Head{}
	first := func(account string) (Head, bool, error) {
		list := waiting[account]
		if len(list) == 0 {
			return Head{}, false, nil
		}
		return slices.MinFunc(list, compareHeads), true, nil
	}
	for step := range 20_000 {
		account := fmt.Sprint("acc_", random.IntN(30))
		switch list := waiting[account]; {
		case random.IntN(2) == 0:
			head := Head{Account: account, Turn: int64(random.IntN(1000)), ID: fmt.Sprintf("cap_%05d", step)}
			waiting[account] = append(list, head)
			heads.Note(account, head.Turn, head.ID)
		case len(list) > 0: // taken or canceled: nobody tells
			at := random.IntN(len(list))
			waiting[account] = slices.Delete(list, at, at+1)
		}
		if step%7 != 0 {
			continue
		}
		holding := map[string]int{fmt.Sprint("acc_", random.IntN(40)): 1}
		n := random.IntN(5)
		got, err := heads.First(n, holding, first)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, compareHeads)
		if want := allHeads(waiting, n, holding); !slices.Equal(want, got) {
			t.Fatalf("step %d: the heads are %v, want %v", step, got, want)
		}
	}
}

func compareHeads(a, b Head) int { return cmp.Or(cmp.Compare(a.Turn, b.Turn), cmp.Compare(a.ID, b.ID)) }

// allHeads is what First returns, by a look at everything.
func allHeads(waiting map[string][]Head, n int, holding map[string]int) []Head {
	var all, heads []Head
	for account, list := range waiting {
		switch {
		case len(list) == 0:
		case holding[account] > 0:
			heads = append(heads, slices.MinFunc(list, compareHeads))
		default:
			all = append(all, slices.MinFunc(list, compareHeads))
		}
	}
	slices.SortFunc(all, compareHeads)
	heads = append(heads, all[:min(n, len(all))]...)
	slices.SortFunc(heads, compareHeads)
	return heads
}

// TestHeadsAfterAFault looks again after a look that failed: no account is forgotten.
func TestHeadsAfterAFault(t *testing.T) {
	var heads Heads
	for i := range 4 {
		heads.Note(strconv.Itoa(i), int64(i), "cap")
	}
	broken, left := errors.New("broken"), 2
	read := func(account string) (Head, bool, error) {
		if left--; left == 0 {
			return Head{}, false, broken
		}
		return Head{Account: account, Turn: int64(account[0] - '0'), ID: "cap"}, true, nil
	}
	if _, err := heads.First(4, nil, read); !errors.Is(err, broken) {
		t.Errorf("the first look: %v", err)
	}
	if got, err := heads.First(4, nil, read); err != nil || len(got) != 4 {
		t.Errorf("the second look: %v, %v", got, err)
	}
}
