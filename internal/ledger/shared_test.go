package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/savepage/savepage"
)

func TestSharedOptions(t *testing.T) {
	background := false
	common := func(o savepage.Options) savepage.Options {
		o.CSS, o.Headers, o.PDFBackground = "p{}", savepage.Headers{"X": "1"}, &background
		o.BlockURLs = []string{"*ads*"}
		return o
	}
	list := []savepage.Options{
		common(savepage.Options{URL: "https://a.test/", Width: 400, Hide: []string{".a"}}),
		common(savepage.Options{URL: "https://b.test/", Width: 400, Hide: []string{".b"}}),
		common(savepage.Options{URL: "https://c.test/", Width: 400}),
	}
	shared := Alike(list)
	if diff := cmp.Diff(common(savepage.Options{Width: 400}), shared); diff != "" {
		t.Errorf("shared: want -, got +\n%s", diff)
	}
	own := []savepage.Options{
		{URL: "https://a.test/", Hide: []string{".a"}}, {URL: "https://b.test/", Hide: []string{".b"}}, {URL: "https://c.test/"},
	}
	for i, o := range list {
		apart := Apart(o, shared)
		if diff := cmp.Diff(own[i], apart); diff != "" {
			t.Errorf("apart: want -, got +\n%s", diff)
		}
		if diff := cmp.Diff(o, Together(apart, shared)); diff != "" {
			t.Errorf("together: want -, got +\n%s", diff)
		}
	}
	if diff := cmp.Diff(savepage.Options{}, Alike(list[:1])); diff != "" {
		t.Errorf("one capture shares nothing: %s", diff)
	}
}
