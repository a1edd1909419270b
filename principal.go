package savepage

import "slices"

// Principal is who makes a request: an account, through one of its keys.
type Principal struct {
	Account Account
	KeyID   string  // names the key in lists and logs: the characters with which it begins, which are not secret
	Scopes  []Scope // what the key may do
	Limits  Limits  // of the account
}

// May reports whether the key has one of the scopes.
func (p Principal) May(needed ...Scope) bool {
	return slices.ContainsFunc(needed, func(s Scope) bool { return slices.Contains(p.Scopes, s) })
}

// Account owns keys, captures and webhook secrets. Accounts never see each other's records.
type Account struct {
	ID        string
	APISecret string // for the older API's hash; empty when the account has none
}

// Scope is a set of requests that a key may make.
type Scope string

// The scopes. None includes another.
const (
	// ScopeCapture submits, cancels and deletes captures and batches, sends callbacks again and replaces the webhook secret. It
	// looks up a capture or a batch by its id, which the answer to a submission tells, and the usage of its account.
	ScopeCapture Scope = "capture"
	// ScopeRead looks up and lists everything of its account, and changes nothing.
	ScopeRead Scope = "read"
	// ScopeAdmin manages all accounts of the server and their keys. It neither submits nor reads captures.
	ScopeAdmin Scope = "admin"
)

// Scopes lists every scope.
func Scopes() []Scope { return []Scope{ScopeCapture, ScopeRead, ScopeAdmin} }

// UsualScopes are those of a key that is made without any.
func UsualScopes() []Scope { return []Scope{ScopeCapture, ScopeRead} }
