package ledger

import (
	"time"

	"github.com/savepage/savepage"
)

// KeyLife is how long an Idempotency-Key is remembered.
const KeyLife = 24 * time.Hour

// KeyUse is a request with an Idempotency-Key, and the id of the capture or batch that it asks for. Without a key each
// request is new.
type KeyUse struct{ Account, Key, Fingerprint, ID string }

// KeyFound is what a KeyUse finds.
type KeyFound int

// The outcomes of a KeyUse.
const (
	KeyFresh    KeyFound = iota // the key was free and is taken
	KeyRepeated                 // the same request was made before
	KeyMismatch                 // another request was made with the key
)

// Judge compares the use with the request that holds the key: its id and its fingerprint.
func (k KeyUse) Judge(id, fingerprint string) KeyFound {
	switch {
	case id == k.ID:
		return KeyFresh
	case fingerprint != k.Fingerprint:
		return KeyMismatch
	default:
		return KeyRepeated
	}
}

// ErrKeyMismatch refuses a request for KeyMismatch.
func ErrKeyMismatch() *savepage.Error {
	return savepage.Errorf(savepage.CodeIdempotencyMismatch, "the Idempotency-Key was used with another request")
}

// errQueueFull refuses n captures beyond the most that may wait.
func errQueueFull(n, maxPending int64) *savepage.Error {
	if n == 1 {
		return savepage.Errorf(savepage.CodeQueueFull, "%d captures are waiting; try again later", maxPending)
	}
	return savepage.Errorf(savepage.CodeQueueFull, "%d captures do not fit in: at most %d may wait; try again later", n, maxPending)
}

// ErrShuttingDown refuses a submission to a closed ledger.
func ErrShuttingDown() *savepage.Error {
	return savepage.Errorf(savepage.CodeShuttingDown, "the server is stopping; try again")
}

// ErrNoCapture says that an account has no such capture.
func ErrNoCapture(id string) *savepage.Error { return none("capture", id) }

// ErrNoBatch says that an account has no such batch.
func ErrNoBatch(id string) *savepage.Error { return none("batch", id) }

// ErrNoDelivery says that an account has no such delivery.
func ErrNoDelivery(id string) *savepage.Error { return none("delivery", id) }

// ErrNoAccount says that there is no such account.
func ErrNoAccount(id string) *savepage.Error { return none("account", id) }

// ErrNoLinkSecret says that there is no such link secret.
func ErrNoLinkSecret(id string) *savepage.Error { return none("link secret", id) }

// ErrNoInboxEvent says that the inbox of an account has no such event.
func ErrNoInboxEvent(id string) *savepage.Error { return none("event", id) }

// ErrNoStore says that an account has no such store.
func ErrNoStore(name string) *savepage.Error { return none("store", name) }

func none(what, id string) *savepage.Error {
	return savepage.Errorf(savepage.CodeNotFound, "there is no %s %s", what, id)
}

// MayCancel returns why a capture in a state may not be canceled, or nil.
func MayCancel(id string, s savepage.State) *savepage.Error {
	if s.Final() {
		return savepage.Errorf(savepage.CodeConflict, "capture %s has ended: %s", id, s)
	}
	return nil
}

// MayForget returns why a capture in a state may not be removed, or nil.
func MayForget(id string, s savepage.State) *savepage.Error {
	if !s.Final() {
		return savepage.Errorf(savepage.CodeConflict, "capture %s has not ended", id)
	}
	return nil
}
