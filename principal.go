package savepage

import "slices"

// Principal is who makes a request: an account, through one of its keys.
type Principal struct {
	Account Account
	KeyID   string  // names the key in lists and logs: the characters with which it begins, which are not secret
	Scopes  []Scope // what the key may do
	Limits  Limits  // of the account
}

// May reports whether the key has a scope.
func (p Principal) May(s Scope) bool { return slices.Contains(p.Scopes, s) }

// Account owns keys, captures and webhook secrets. Accounts never see each other's records.
type Account struct {
	ID        string
	APISecret string // for the older API's hash; empty when the account has none
}

// Scope is a set of requests that a key may make.
type Scope string

// The scopes.
const (
	ScopeCapture Scope = "capture" // submit, cancel and delete captures and batches; send callbacks; replace the webhook secret
	ScopeRead    Scope = "read"    // look up and list
)

// Scopes lists every scope.
func Scopes() []Scope { return []Scope{ScopeCapture, ScopeRead} }
