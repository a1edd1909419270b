package ledger

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

func FuzzCursor(f *testing.F) {
	f.Add(CursorAt(time.Now(), "cap_1").String())
	f.Add("eA")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ReadCursor(text)
		if err != nil {
			return
		}
		if again, err := ReadCursor(c.String()); err != nil || again != c {
			t.Errorf("%q: %+v, %+v, %v", text, c, again, err)
		}
	})
}

func TestReadCursorRefuses(t *testing.T) {
	for _, text := range []string{"", "x", "!", "eA", Cursor{}.String() + "!"} {
		_, err := ReadCursor(text)
		if fault, known := errors.AsType[*savepage.Error](err); !known || fault.Code != savepage.CodeInvalidRequest ||
			len(fault.Fields) != 1 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestPages(t *testing.T) {
	for asked, want := range map[int]int{-1: 1, 0: 1, 7: 7, 100: 100, 101: 100} {
		if got := PageLimit(asked); got != want {
			t.Errorf("a page for %d has %d", asked, got)
		}
	}
	at := func(id string) Cursor { return Cursor{ID: id} }
	if page, next := CutPage([]string{"a", "b"}, 2, at); !slices.Equal(page, []string{"a", "b"}) || next != "" {
		t.Errorf("the last page is %v, then %q", page, next)
	}
	page, next := CutPage([]string{"a", "b", "c"}, 2, at)
	if after, err := ReadCursor(next); err != nil || !slices.Equal(page, []string{"a", "b"}) || after.ID != "b" {
		t.Errorf("a page is %v, then %+v, %v", page, after, err)
	}
}
