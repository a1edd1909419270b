package targets

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/page/session"
)

func TestWithoutASetupOnlyWorkersAreAttached(t *testing.T) {
	all := New(session.NewRouter())
	got := all.Enable()
	if len(got) != 1 || got[0].Method != target.CommandSetAutoAttach ||
		!strings.Contains(fmt.Sprint(got[0].Params), "filter:[map[type:worker]]") {
		t.Errorf("%+v", got)
	}
	all.Setup("Fetch.enable", nil)
	all.First(func(kind string) []session.Command { return []session.Command{{Method: kind}} })
	got = all.Enable()
	if len(got) != 3 || got[0].Method != "Fetch.enable" || got[1].Method != target.CommandSetAutoAttach || got[2].Method != "page" {
		t.Fatalf("%+v", got)
	}
	if params := fmt.Sprint(got[1].Params); strings.Contains(params, "filter") {
		t.Errorf("frames are not attached: %s", params)
	}
}
