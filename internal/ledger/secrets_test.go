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
	if !p.Add(3) || p.Add(1) {
		t.Fatal("three fit, and not a fourth")
	}
	p.Done(2)
	if !p.Add(1) || p.Add(1) {
		t.Error("after the fourth was taken off with another, one fits")
	}
	if p.Set(0); !p.Add(3) {
		t.Error("three do not fit after a new count")
	}
}
