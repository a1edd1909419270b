package capture

import (
	"errors"
	"testing"

	"github.com/savepage/savepage"
)

// TestNoTracerCostsNothing makes nothing where nobody wants spans.
func TestNoTracerCostsNothing(t *testing.T) {
	c, failed := savepage.Capture{ID: "cap_1", Account: "acc_1", Attempt: 1, Trace: "00-1-2-01"}, errors.New("failed")
	var none spans
	made := testing.AllocsPerRun(100, func() {
		ctx, end := none.submit(t.Context(), "submit", c.Account)
		end(failed)
		if none.carried(ctx) != "" || none.phases(ctx) != nil {
			t.Error("something is carried on")
		}
		_, end = none.run(ctx, c)
		end(nil)
		_, end = none.record(ctx)
		end(failed)
	})
	if made != 0 {
		t.Errorf("%v objects are made", made)
	}
}
