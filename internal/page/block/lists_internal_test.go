package block

import (
	"strings"
	"testing"
)

func TestNeeds(t *testing.T) {
	listed := func(host string) bool { return host == "metrics.shop.test" || strings.HasSuffix(host, "tracker.test") }
	w := &filter{}
	if w.needs("tracker.test", listed) {
		t.Error("a host is needed before a document was asked for")
	}
	w.asksFor("https://shop.test/")
	w.asksFor("http://WWW.tracker.test.:8080/x")
	for host, want := range map[string]bool{
		"www.tracker.test": true, "cdn.tracker.test": true, "a.www.tracker.test": true, "shop.test": true,
		"metrics.shop.test": false, "other-tracker.test": false, "tracker.test.shop.example": false,
	} {
		if got := w.needs(host, listed); got != want {
			t.Errorf("%s: %v, want %v", host, got, want)
		}
	}
}
