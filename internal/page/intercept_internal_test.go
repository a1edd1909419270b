package page

import (
	"maps"
	"testing"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"

	"github.com/savepage/savepage"
)

func always(v verdict) rule { return rule{judge: func(asked) verdict { return v }} }

func TestJudge(t *testing.T) {
	i := &interception{}
	i.add(always(verdict{headers: savepage.Headers{"X-A": "1", "X-B": "1"}}))
	i.add(always(verdict{headers: savepage.Headers{"X-B": "2"}}))
	if got := i.judge(asked{}); got.refuse != "" || got.answer != nil || !maps.Equal(got.headers, savepage.Headers{"X-A": "1", "X-B": "2"}) {
		t.Errorf("headers of all rules: %+v", got)
	}
	i.add(always(verdict{refuse: "block_urls"}))
	if got := i.judge(asked{}); got.refuse != "block_urls" {
		t.Errorf("refused: %+v", got)
	}
	if got := i.judge(asked{main: true}); got.refuse != "" || len(got.headers) != 2 {
		t.Errorf("the page itself: %+v", got)
	}
	i.add(always(verdict{answer: &answer{status: 200}}))
	if got := i.judge(asked{}); got.answer != nil {
		t.Errorf("the first rule that decides decides: %+v", got)
	}
	if got := i.judge(asked{main: true}); got.answer == nil {
		t.Errorf("the page itself is answered: %+v", got)
	}
}

func TestOnlyWhatIsNeededIsPaused(t *testing.T) {
	i := &interception{}
	if got := i.enable(); len(got) != 0 {
		t.Errorf("without a rule: %+v", got)
	}
	i.add(rule{patterns: within("https://a.test")})
	i.add(rule{patterns: []*fetch.RequestPattern{{URLPattern: "*", ResourceType: network.ResourceTypeImage}}})
	if got := i.patterns(); len(got) != 2 || got[0].URLPattern != "https://a.test/*" || got[1].ResourceType != "Image" {
		t.Errorf("%+v", got)
	}
	i.add(rule{patterns: []*fetch.RequestPattern{{URLPattern: "*"}}})
	if got := i.patterns(); len(got) != 1 || got[0].URLPattern != "*" {
		t.Errorf("%+v", got)
	}
}
