package blocklist

import (
	"encoding/json"
	"os"
	"testing"
)

// answer is one line of testdata/answers.json.gz: what another engine says of a request. See the README beside it.
type answer struct {
	url, kind, from string
	ads, both       bool
}

func (a *answer) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&a.url, &a.kind, &a.from, &a.ads, &a.both})
}

func answers(tb testing.TB) []answer {
	tb.Helper()
	packed, err := os.ReadFile("testdata/answers.json.gz")
	if err != nil {
		tb.Fatal(err)
	}
	text, err := unpack(packed)
	if err != nil {
		tb.Fatal(err)
	}
	var all []answer
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		tb.Fatal(err)
	}
	return all
}

func lists(tb testing.TB) *Lists {
	tb.Helper()
	l, err := load()
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// Every decision is the one that another engine makes with the same lists.
func TestAnswers(t *testing.T) {
	l, types := lists(t), typeOptions()
	ads, both := l.Filter(Wanted{Ads: true}), l.Filter(Wanted{Ads: true, Trackers: true})
	count := map[bool]int{}
	for _, a := range answers(t) {
		r := Request{URL: a.url, Type: types[a.kind], Document: ads.Document(a.from)}
		if got := ads.Decide(r).Blocked; got != a.ads {
			t.Errorf("EasyList: %s %s from %s: blocked is %v, want %v", a.kind, a.url, a.from, got, a.ads)
		}
		r.Document = both.Document(a.from)
		if got := both.Decide(r).Blocked; got != a.both {
			t.Errorf("both lists: %s %s from %s: blocked is %v, want %v", a.kind, a.url, a.from, got, a.both)
		}
		count[a.both]++
	}
	if count[true] < 1000 || count[false] < 1000 {
		t.Errorf("%v answers: too few to show anything", count)
	}
}

func BenchmarkDecide(b *testing.B) {
	both := lists(b).Filter(Wanted{Ads: true, Trackers: true, Chats: true})
	all := answers(b)
	page := both.Document("https://www.example.com/")
	for i := 0; b.Loop(); i++ {
		both.Decide(Request{URL: all[i%len(all)].url, Type: Script, Document: page})
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		lists(b)
	}
}
