package api

import (
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// TestBriefBody has the captures of a batch share a long text: its fingerprint costs little, and is still that of the text.
func TestBriefBody(t *testing.T) {
	t.Parallel()
	body := func(text string, n int) batchBody {
		return batchBody{Rows: make([]savepage.Options, n)}.with(text)
	}
	long, other := strings.Repeat("x", 100_000), strings.Repeat("x", 99_999)+"y"
	of := func(b batchBody) string {
		hash, err := fingerprint("batch\n", b.brief())
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	large := body(long, 1000)
	for _, o := range large.brief().Rows {
		if len(o.HTML) > 100 {
			t.Fatalf("a text of %d bytes is left", len(o.HTML))
		}
	}
	if of(large) != of(body(long, 1000)) || of(large) == of(body(other, 1000)) || of(large) == of(body(long, 999)) {
		t.Error("the fingerprint is not the body's")
	}
	if small := body(long, 10).brief(); small.Rows[0].HTML != long {
		t.Error("a small body is changed")
	}
	if large.Rows[0].HTML != long {
		t.Error("the request itself is changed")
	}
}

func (b batchBody) with(html string) batchBody {
	for i := range b.Rows {
		b.Rows[i].HTML = html
	}
	return b
}
