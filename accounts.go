package savepage

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// MaxName is how many characters the name of a key or of an account may have.
const MaxName = 100

// Key describes a key without telling it. Times are zero for never.
type Key struct {
	Account   string    `json:"account" doc:"Account that the key belongs to."`
	Prefix    string    `json:"prefix" doc:"The first characters of the key, which name it." example:"sp_3kT9xQ2a"`
	Name      string    `json:"name,omitempty" doc:"What the key is for."`
	Scopes    []Scope   `json:"scopes" doc:"What the key may do: capture, read, admin."`
	CreatedAt time.Time `json:"created_at" doc:"When the key was created."`
	LastUsed  time.Time `json:"last_used_at,omitzero" doc:"When the key was last used, to the minute; absent if never."`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"From when the key is refused; absent if never."`
	RevokedAt time.Time `json:"revoked_at,omitzero" doc:"When the key was revoked; absent if it was not."`
}

// Issued is a new key. It is the only time that the key itself is known.
type Issued struct {
	Account       string    `json:"account" doc:"Account that the key belongs to."`
	Key           string    `json:"key" doc:"The key. It is shown only here."`
	Name          string    `json:"name,omitempty" doc:"What the key is for."`
	Scopes        []Scope   `json:"scopes,omitempty" doc:"What the key may do: capture, read, admin."`
	ExpiresAt     time.Time `json:"expires_at,omitzero" doc:"From when the key is refused; absent if never."`
	WebhookSecret string    `json:"webhook_secret,omitempty" doc:"Webhook secret of a new account. It is shown only here."`
	APISecret     string    `json:"api_secret,omitempty" doc:"Secret of the older API, if one was asked for."`
}

// KeyTerms is what a key is created with.
type KeyTerms struct {
	Name      string    `json:"name,omitempty"`
	Scopes    []Scope   `json:"scopes,omitempty"`    // none: UsualScopes
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: never
}

// ValidateFields returns what is wrong with the terms at a time.
func (t KeyTerms) ValidateFields(now time.Time) (wrong []FieldError) {
	wrong = validateName(t.Name)
	for i, scope := range t.Scopes {
		if !slices.Contains(Scopes(), scope) {
			wrong = append(wrong, FieldError{Location: fmt.Sprintf("scopes[%d]", i), Message: "must be one of capture, read, admin", Value: scope})
		}
	}
	if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(now) {
		message := "must be later than now, " + now.UTC().Format(time.RFC3339)
		given := t.ExpiresAt.UTC().Format(time.RFC3339)
		wrong = append(wrong, FieldError{Location: "expires_at", Message: message, Value: given})
	}
	return wrong
}

// Granted returns the scopes of a key with the terms, each once and in the order of Scopes.
func (t KeyTerms) Granted() []Scope {
	if len(t.Scopes) == 0 {
		return UsualScopes()
	}
	return slices.DeleteFunc(Scopes(), func(s Scope) bool { return !slices.Contains(t.Scopes, s) })
}

// AccountInfo describes an account to who manages it.
type AccountInfo struct {
	ID        string         `json:"id" doc:"Id of the account."`
	Name      string         `json:"name,omitempty" doc:"Whose account it is."`
	CreatedAt time.Time      `json:"created_at" doc:"When the account was created."`
	ClosedAt  time.Time      `json:"closed_at,omitzero" doc:"When it was deleted; it is listed until all of it is removed."`
	Limits    map[string]int `json:"limits" doc:"Limits of its own, by name. For the others the settings of the server hold."`
	Pending   int            `json:"pending" doc:"Captures that have not ended."`
	Running   int            `json:"running" doc:"Captures that are rendered now."`
}

// AccountTerms is what an account is created with, or what is changed of it. What is nil stays as it is.
type AccountTerms struct {
	Name   *string         `json:"name,omitempty"`
	Limits map[string]*int `json:"limits,omitempty"` // by the names of LimitTable; nil: the setting of the server
}

// ValidateFields returns what is wrong with the terms.
func (t AccountTerms) ValidateFields() (wrong []FieldError) {
	if t.Name != nil {
		wrong = validateName(*t.Name)
	}
	for name, n := range t.Limits {
		row, known := limitRow(name)
		switch {
		case !known:
			message := "is not a limit; must be one of " + strings.Join(limitNames(), ", ")
			wrong = append(wrong, FieldError{Location: "limits." + name, Message: message})
		case n != nil && (*n < row.Min || *n > row.Max):
			message := fmt.Sprintf("must be from %d to %d, or null for the setting of the server", row.Min, row.Max)
			wrong = append(wrong, FieldError{Location: "limits." + name, Message: message, Value: *n})
		}
	}
	slices.SortFunc(wrong, func(a, b FieldError) int { return strings.Compare(a.Location, b.Location) })
	return wrong
}

func limitRow(name string) (LimitInfo, bool) {
	for _, row := range LimitTable() {
		if row.Name == name {
			return row, true
		}
	}
	return LimitInfo{}, false
}

func limitNames() []string {
	var names []string
	for _, row := range LimitTable() {
		names = append(names, row.Name)
	}
	return names
}

func validateName(name string) []FieldError {
	if len([]rune(name)) > MaxName || strings.ContainsFunc(name, unicode.IsControl) {
		message := fmt.Sprintf("must be at most %d characters, without control characters", MaxName)
		return []FieldError{{Location: "name", Message: message, Value: name}}
	}
	return nil
}

// Use says how far a limit is used.
type Use struct {
	Limit     *int       `json:"limit" doc:"The limit; null for none."`
	Used      int        `json:"used" doc:"How much of it is used."`
	Reserved  *int       `json:"reserved,omitempty" doc:"How much captures that have not ended will use at most."`
	Remaining *int       `json:"remaining" doc:"How much is left; null without a limit."`
	Reset     *time.Time `json:"reset,omitempty" doc:"When all of it is available again, at the latest; absent if that depends on captures."`
}

// Usage says what an account uses of its limits.
type Usage struct {
	Account           string    `json:"account" doc:"The account."`
	From              time.Time `json:"from" doc:"First moment of the calendar month, UTC."`
	Until             time.Time `json:"until" doc:"First moment of the next month."`
	CapturesPerMonth  Use       `json:"captures_per_month" doc:"What captures of the month count. A full page counts 3; a cached one 0."`
	RequestsPerMinute Use       `json:"requests_per_minute" doc:"Requests, this one included."`
	Pending           Use       `json:"pending" doc:"Captures that have not ended."`
	PendingBytes      Use       `json:"pending_bytes" doc:"Bytes that their options take."`
	Pages             Use       `json:"pages" doc:"Captures that are rendered now."`
	Timeout           *int      `json:"timeout" doc:"Longest timeout of a capture, in milliseconds; null for that of the API."`
}

// UseOf is the use of a limit, 0 being none.
func UseOf(limit, used int) Use {
	u := Use{Used: used}
	if limit > 0 {
		left := max(limit-used, 0)
		u.Limit, u.Remaining = &limit, &left
	}
	return u
}
