package ledger

import (
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

func TestKeyUseIsJudged(t *testing.T) {
	use := KeyUse{Account: "a", Key: "k", Fingerprint: "f", ID: "cap_2"}
	for _, c := range []struct {
		id, fingerprint string
		want            KeyFound
	}{{"cap_2", "f", KeyFresh}, {"cap_1", "f", KeyRepeated}, {"cap_1", "g", KeyMismatch}} {
		if got := use.Judge(c.id, c.fingerprint); got != c.want {
			t.Errorf("held by %s with %s: %d, want %d", c.id, c.fingerprint, got, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, s := range []savepage.State{savepage.Queued, savepage.Running, savepage.Success, savepage.Failed, savepage.Canceled} {
		if cancel, forget := MayCancel("x", s), MayForget("x", s); (cancel == nil) == s.Final() || (forget == nil) != s.Final() {
			t.Errorf("%s: cancel %v, forget %v", s, cancel, forget)
		}
	}
	for _, c := range []struct {
		err  *savepage.Error
		code savepage.Code
		says string
	}{
		{ErrNoCapture("x"), savepage.CodeNotFound, "capture x"},
		{ErrNoBatch("x"), savepage.CodeNotFound, "batch x"},
		{ErrNoDelivery("x"), savepage.CodeNotFound, "delivery x"},
		{ErrNoAccount("x"), savepage.CodeNotFound, "account x"},
		{errQueueFull(1, 7), savepage.CodeQueueFull, "7 captures are waiting"},
		{errQueueFull(9, 7), savepage.CodeQueueFull, "9 captures do not fit in: at most 7"},
		{ErrKeyMismatch(), savepage.CodeIdempotencyMismatch, "another request"},
		{ErrShuttingDown(), savepage.CodeShuttingDown, "stopping"},
		{MayCancel("x", savepage.Failed), savepage.CodeConflict, "has ended: failed"},
		{MayForget("x", savepage.Queued), savepage.CodeConflict, "has not ended"},
	} {
		if c.err.Code != c.code || !strings.Contains(c.err.Message, c.says) {
			t.Errorf("%v, want %s with %q", c.err, c.code, c.says)
		}
	}
}
