package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

// noAccounts is the accounts of a server that has none.
type noAccounts struct{}

func noAccount() error { return savepage.Errorf(savepage.CodeNotFound, "there is no account") }

func (noAccounts) ListAccounts(context.Context, int, string) ([]savepage.AccountInfo, string, error) {
	return nil, "", nil
}

func (noAccounts) Nodes(context.Context) ([]savepage.Node, error) {
	return []savepage.Node{{ID: "node_1", Roles: []string{"api"}}}, nil
}

func (noAccounts) Account(context.Context, string) (savepage.AccountInfo, error) {
	return savepage.AccountInfo{}, noAccount()
}

func (noAccounts) CreateAccount(context.Context, savepage.AccountTerms, savepage.KeyTerms) (savepage.Issued, error) {
	return savepage.Issued{}, nil
}

func (noAccounts) SetAccount(context.Context, string, savepage.AccountTerms) (savepage.AccountInfo, error) {
	return savepage.AccountInfo{}, noAccount()
}
func (noAccounts) CloseAccount(context.Context, string) error { return noAccount() }

func (noAccounts) Create(context.Context, string, savepage.KeyTerms) (savepage.Issued, error) {
	return savepage.Issued{}, noAccount()
}
func (noAccounts) List(context.Context, string) ([]savepage.Key, error) { return nil, noAccount() }
func (noAccounts) Revoke(context.Context, string, string) error         { return noAccount() }

func (noAccounts) Rotate(context.Context, string, string, time.Duration) (savepage.Issued, error) {
	return savepage.Issued{}, noAccount()
}

func (noAccounts) Usage(context.Context, string) (savepage.Usage, error) {
	return savepage.Usage{}, noAccount()
}

func (noAccounts) History(context.Context, string, savepage.HistorySpan) (savepage.UsageHistory, error) {
	return savepage.UsageHistory{}, noAccount()
}

// scoped is a keyed route of the document, with the scopes of which a key needs one.
type scoped struct {
	method, path string
	needed       []savepage.Scope
}

func scopedRoutes(t *testing.T, s *service) (routes []scoped) {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			Security []map[string][]savepage.Scope `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal([]byte(s.call(t, http.MethodGet, "/openapi.json", "").body), &document); err != nil {
		t.Fatal(err)
	}
	for path, methods := range document.Paths {
		for method, op := range methods {
			one := scoped{method: strings.ToUpper(method), path: path}
			for _, alternative := range op.Security {
				one.needed = append(one.needed, alternative["key"]...)
			}
			if len(one.needed) > 0 {
				routes = append(routes, one)
			}
		}
	}
	return routes
}

// TestEveryRouteNeedsItsScope asks every route that needs a key with keys of one scope each.
func TestEveryRouteNeedsItsScope(t *testing.T) {
	s := serve(t, nil)
	routes := scopedRoutes(t, s)
	if len(routes) < 28 {
		t.Fatalf("only %d routes name scopes", len(routes))
	}
	reading := []string{http.MethodGet}
	for _, one := range routes {
		if slices.Contains(one.needed, savepage.ScopeRead) && !slices.Contains(reading, one.method) {
			t.Errorf("%s %s changes something, and read is enough", one.method, one.path)
		}
		for _, scope := range savepage.Scopes() {
			path := strings.NewReplacer("{id}", "x", "{key}", "sp_x").Replace(one.path)
			r := s.call(t, one.method, path, "{}", "Authorization: Bearer "+keyScope+string(scope), "Content-Type: application/json")
			permitted := slices.Contains(one.needed, scope)
			if (r.status != http.StatusForbidden) != permitted {
				t.Errorf("%s %s with the scope %s: %d", one.method, one.path, scope, r.status)
			}
			if r.header.Get("X-RateLimit-Remaining") == "" {
				t.Errorf("%s %s with the scope %s: no limit in the answer", one.method, one.path, scope)
			}
			if !permitted && !strings.Contains(r.body, `\"`+string(one.needed[0])+`\"`) {
				t.Errorf("%s %s: the scope is not named: %s", one.method, one.path, r.body)
			}
		}
	}
}

// TestTimeoutLimit gives the account a limit of timeout. The flow gets it, with the timeout that was given, if any: clients of
// the older API give none.
func TestTimeoutLimit(t *testing.T) {
	s := serve(t, nil)
	s.limits.Timeout = 20_000
	s.call(t, http.MethodPost, "/v1/capture", `{"url":"https://example.com"}`, "Authorization: Bearer "+keyA)
	s.call(t, http.MethodPost, "/v1/capture", `{"url":"https://example.com","timeout":30000}`, "Authorization: Bearer "+keyA)
	s.call(t, http.MethodGet, "/v1/?url=https://example.com", "", "Authorization: Bearer "+keyA)
	s.call(t, http.MethodGet, "/v1/?q=example.com&delay=2&key="+keyA, "")
	s.call(t, http.MethodPost, "/v1/batches", `{"urls":["https://example.com"]}`, "Authorization: Bearer "+keyA)
	const both = `{"captures":[{"url":"https://example.com"}],"options":{"timeout":30000}}`
	s.call(t, http.MethodPost, "/v1/batches", both, "Authorization: Bearer "+keyA)
	var given, batches []int
	for i, r := range s.requested() {
		given = append(given, r.Options.Timeout)
		if r.MaxTimeout != 20_000 {
			t.Errorf("request %d: %d", i, r.MaxTimeout)
		}
	}
	for i, b := range s.batches {
		batches = append(batches, b.Captures[0].Timeout)
		if b.MaxTimeout != 20_000 {
			t.Errorf("batch %d: %d", i, b.MaxTimeout)
		}
	}
	if want := []int{0, 30_000, 0, 20_000}; !slices.Equal(want, given) {
		t.Errorf("the timeouts that were given are %v, want %v", given, want)
	}
	if want := []int{0, 30_000}; !slices.Equal(want, batches) {
		t.Errorf("the timeouts that were given in batches are %v, want %v", batches, want)
	}
}

// TestQuotaSaysWhen answers what a quota says about the time.
func TestQuotaSaysWhen(t *testing.T) {
	s := serve(t, nil)
	fault := savepage.Errorf(savepage.CodeQuotaExceeded, "the month is used up")
	fault.RetryAfter = 90*time.Minute - time.Millisecond
	s.submitErr = fault
	r := s.call(t, http.MethodPost, "/v1/capture", `{"url":"https://example.com"}`, "Authorization: Bearer "+keyA)
	if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "5400" {
		t.Errorf("%d, Retry-After %q", r.status, r.header.Get("Retry-After"))
	}
}

// TestAccountBodies are refused with every fault.
func TestAccountBodies(t *testing.T) {
	s := serve(t, nil)
	for body, want := range map[string]string{
		`{"limits":{"pages":257,"page":1}}`:           `"body.limits.page","message":"is not a limit`,
		`{"limits":{"pages":257}}`:                    `"message":"must be from 0 to 256, or null for the setting of the server","value":257`,
		`{"limits":{"pages":"many"}}`:                 `must be a whole number`,
		`{"limits":3}`:                                `must be an object with whole numbers`,
		`{"name":"` + strings.Repeat("n", 101) + `"}`: `must be at most 100 characters`,
		`{"nam":"x"}`:                                 `did you mean \"name\"`,
	} {
		r := s.call(t, http.MethodPatch, "/v1/accounts/acc_1", body, "Authorization: Bearer "+keyA, "Content-Type: application/json")
		if r.status != http.StatusBadRequest || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
	for body, want := range map[string]string{
		`{"scopes":["cook"]}`:                   `"body.scopes[0]","message":"must be one of capture, read, admin","value":"cook"`,
		`{"scopes":"read"}`:                     `must be a list of strings`,
		`{"expires_at":"tomorrow"}`:             `must be an RFC 3339 time`,
		`{"expires_at":"2020-01-01T00:00:00Z"}`: `must be later than now`,
		`{"name":"a\u0000b"}`:                   `without control characters`,
	} {
		r := s.call(t, http.MethodPost, "/v1/accounts/acc_1/keys", body, "Authorization: Bearer "+keyA, "Content-Type: application/json")
		if r.status != http.StatusBadRequest || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
	if r := s.call(t, http.MethodDelete, "/v1/accounts/acc_a", "", "Authorization: Bearer "+keyA); r.status != http.StatusConflict {
		t.Errorf("the account of the request's own key: %d %s", r.status, r.body)
	}
}
