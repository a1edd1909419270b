package capture

import (
	"errors"
	"testing"

	"github.com/savepage/savepage"
)

// TestTimeoutLimit submits with an account's limit of timeout, alone and in a batch.
func TestTimeoutLimit(t *testing.T) {
	f := newFlow(t)
	for _, one := range []struct {
		asked, limit, want int
		refused            string
	}{
		{asked: 0, limit: 0, want: 30_000},
		{asked: 300_000, limit: 0, want: 300_000},
		{asked: 0, limit: 10_000, want: 10_000},
		{asked: 10_000, limit: 10_000, want: 10_000},
		{asked: 0, limit: 60_000, want: 30_000},
		{asked: 30_000, limit: 60_000, want: 30_000},
		{asked: 30_000, limit: 10_000, refused: "must be from 1000 to 10000, the limit of the account"}, // the default, but given
		{asked: 10_001, limit: 10_000, refused: "must be from 1000 to 10000, the limit of the account"},
		{asked: 2000, limit: 10, refused: "must be from 1000 to 1000, the limit of the account"},
	} {
		o := savepage.Options{URL: "http://a.test", Timeout: one.asked}
		accepted, err := f.Submit(t.Context(), Request{Account: "acc_1", Options: o, MaxTimeout: one.limit})
		_, batchErr := f.SubmitBatch(t.Context(), BatchRequest{Account: "acc_1", Captures: []savepage.Options{o}, MaxTimeout: one.limit})
		if one.refused == "" {
			if err != nil || batchErr != nil || accepted.Capture.Options.Timeout != one.want {
				t.Errorf("%+v: %v, %v, timeout %d", one, err, batchErr, accepted.Capture.Options.Timeout)
			}
			continue
		}
		for location, err := range map[string]error{"timeout": err, "[0].timeout": batchErr} {
			var fault *savepage.Error
			want := savepage.FieldError{Location: location, Message: one.refused, Value: one.asked}
			if !errors.As(err, &fault) || len(fault.Fields) != 1 || fault.Fields[0] != want {
				t.Errorf("%+v: %v", one, err)
			}
		}
	}
}
