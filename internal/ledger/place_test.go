package ledger

import (
	"testing"
	"time"

	"github.com/savepage/savepage"
)

func TestPlaceAgain(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if got := PlaceAgain(now, time.Minute); got != now.Add(time.Minute) {
		t.Errorf("with a wait: %v", got)
	}
	if got := PlaceAgain(now, 0); got != Place(now, 0, Async) || !got.Before(Place(now, 1, Async)) {
		t.Errorf("without one: %v", got)
	}
}

// TestArrivals has captures of two accounts arrive together: each is placed behind what its own account has waiting.
func TestArrivals(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	captures := []savepage.Capture{
		{Account: "a"},
		{Account: "b"},
		{Account: "a", Interactive: true},
		{Account: "a", BatchID: "x"},
		{Account: "a"},
		{Account: "a", BatchID: "x"},
	}
	accounts := CountArrivals(captures)
	if len(accounts) != 2 || accounts["a"].Added != (Waiting{1, 2, 2}) || accounts["b"].Added != (Waiting{0, 1, 0}) {
		t.Fatalf("counted %+v, %+v", accounts["a"], accounts["b"])
	}
	accounts["a"].Counted(Waiting{1 + 4, 2 + 10, 2 + 20})
	accounts["b"].Counted(Waiting{0, 1, 0})
	for i, want := range []struct {
		ahead int64
		class Class
	}{{10, Async}, {0, Async}, {4, Interactive}, {20 + 11, Batch}, {11, Async}, {21 + 12, Batch}} {
		c := captures[i]
		if got := accounts[c.Account].Place(now, ClassOf(c)); got != Place(now, want.ahead, want.class) {
			t.Errorf("capture %d is %v behind its class's first, want %d captures", i, got.Sub(Place(now, 0, want.class)), want.ahead)
		}
	}
	if WaitingOne(Batch) != (Waiting{0, 0, 1}) {
		t.Error("one of a batch is counted elsewhere")
	}
}
