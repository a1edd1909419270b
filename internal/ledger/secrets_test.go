package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

func TestRotate(t *testing.T) {
	current := WebhookSecret{Text: "whsec_x", Created: noon.Add(-time.Hour)}
	r, err := Rotate([]WebhookSecret{current}, time.Hour, noon)
	if err != nil || r.Made != noon || savepage.CheckSecret(r.Fresh) != nil {
		t.Errorf("%+v, %v", r, err)
	}
	current.Created = noon.Add(time.Hour) // by a clock that was ahead
	if r, err := Rotate([]WebhookSecret{current}, 0, noon); err != nil || !r.Made.After(current.Created) {
		t.Errorf("%+v, %v", r, err)
	}
	many := make([]WebhookSecret, MaxOldSecrets+1)
	_, err = Rotate(many, time.Hour, noon)
	if fault, known := errors.AsType[*savepage.Error](err); !known || fault.Code != savepage.CodeConflict {
		t.Errorf("beyond the most: %v", err)
	}
	if _, err := Rotate(many, 0, noon); err != nil {
		t.Errorf("without an overlap: %v", err)
	}
	if _, err := Rotate(many[1:], time.Hour, noon); err != nil {
		t.Errorf("one less: %v", err)
	}
}

func TestDescribeSecrets(t *testing.T) {
	list := []WebhookSecret{
		{Text: NewSecret(), Created: noon},
		{Text: NewSecret(), Created: noon.Add(-time.Hour), Until: noon.Add(time.Hour)},
	}
	got := DescribeSecrets(list)
	if got.Secret != "" || got.Current != Describe(list[0].Text, noon, time.Time{}) || len(got.Previous) != 1 ||
		got.Previous[0].Hint != Hint(list[1].Text) {
		t.Errorf("%+v", got)
	}
	if got := DescribeSecrets(list[:1]); got.Previous == nil || len(got.Previous) != 0 {
		t.Errorf("without older ones: %+v", got.Previous)
	}
}

func TestMaySeal(t *testing.T) {
	with := vault(t, 1)
	for _, c := range []struct {
		v             Vault
		plain, served bool
		may           bool
	}{{with, true, true, false}, {with, true, false, true}, {with, false, true, true}, {Vault{}, true, true, true}} {
		if err := c.v.MaySeal(c.plain, c.served); (err == nil) != c.may {
			t.Errorf("key %t, plain %t, served %t: %v", c.v.Head() != "", c.plain, c.served, err)
		}
	}
}

func TestPendingCounts(t *testing.T) {
	p := Pending{Max: 3}
	if p.Add("a", 3) != nil || p.Add("b", 1) == nil {
		t.Fatal("three fit, and not a fourth")
	}
	p.Done("b", 1)
	p.Done("a", 1)
	if p.Add("a", 1) != nil || p.Add("a", 1) == nil {
		t.Error("after the fourth was taken off with another, one fits")
	}
	if p.Set(nil); p.Add("a", 3) != nil {
		t.Error("three do not fit after a new count")
	}
}

// TestPendingLeavesRoom has accounts fill the queue one after the other: none may fill it whole, and each that comes finds
// room.
func TestPendingLeavesRoom(t *testing.T) {
	p := Pending{Max: 1000}
	for i, want := range []int64{900, 90, 9, 1} {
		account, n := string(rune('a'+i)), int64(0)
		var fault *savepage.Error
		for fault == nil {
			if fault = p.Add(account, 1); fault == nil {
				n++
			}
		}
		p.Done(account, 1)
		if n != want {
			t.Errorf("account %d found room for %d captures, want %d", i, n, want)
		}
		if last := i == 3; (fault.Code == savepage.CodeQueueFull) != last {
			t.Errorf("account %d: %v", i, fault)
		}
	}
	if fault := p.Add("a", 1); fault == nil || fault.Code != savepage.CodeQueueFull {
		t.Errorf("a full queue: %v", fault)
	}
}
