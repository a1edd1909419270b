package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
)

// headerRequestID is set on the answer by the middleware in front of the API.
const headerRequestID = "X-Request-Id"

// gate lets requests through whose key permits them.
type gate struct {
	out       responder
	keys      Keys
	limiter   *limiter
	bodies    *bodies
	clock     *clock.Clock
	onAccount func(r *http.Request, account string) // may be nil
}

func newGate(out responder, parts Parts, cfg Config) *gate {
	return &gate{
		out: out, keys: parts.Keys, limiter: newLimiter(time.Minute), bodies: newBodies(), clock: parts.Clock, onAccount: cfg.OnAccount,
	}
}

// keyed is a handler that needs a key.
type keyed func(w http.ResponseWriter, r *http.Request, who savepage.Principal) error

// with lets a request through that carries a valid key with one of the scopes and is within its account's limit.
func (g *gate) with(needed scopes, next keyed) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := g.authenticate(w, r)
		if err == nil {
			err = g.admit(w, r, who, needed)
		}
		if err == nil {
			defer g.bodies.of(r, who.Account.ID)()
			err = next(w, r, who)
		}
		if err != nil {
			g.out.fail(w, r, err)
		}
	})
}

// authenticate finds who the key of the Authorization header belongs to.
func (g *gate) authenticate(w http.ResponseWriter, r *http.Request) (savepage.Principal, error) {
	key, given := bearer(r)
	if !given {
		w.Header().Set("WWW-Authenticate", `Bearer realm="savepage"`)
		return savepage.Principal{}, savepage.Errorf(savepage.CodeUnauthorized, "%s", missingKey(r))
	}
	who, err := g.keys.Authenticate(r.Context(), key)
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer realm="savepage", error="invalid_token"`)
	}
	return who, err
}

func bearer(r *http.Request) (string, bool) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	key = strings.TrimSpace(key)
	return key, strings.EqualFold(scheme, "Bearer") && key != ""
}

func missingKey(r *http.Request) string {
	query := r.URL.Query()
	if slices.ContainsFunc([]string{"key", "api_key", "apikey", "access_key", "token"}, query.Has) {
		return "keys in the query are not accepted, because they end up in logs; send Authorization: Bearer KEY"
	}
	return "send Authorization: Bearer KEY"
}

// scopes are those of which a key needs one for a request.
type scopes string // with commas between

func (s scopes) list() []savepage.Scope {
	var list []savepage.Scope
	for name := range strings.SplitSeq(string(s), ",") {
		list = append(list, savepage.Scope(name))
	}
	return list
}

// String names them for an error.
func (s scopes) String() string { return `"` + strings.ReplaceAll(string(s), ",", `" or "`) + `"` }

// admit counts the request against the account's limit, sets the headers that say how much of it is left, and checks
// whether the key has one of the scopes.
func (g *gate) admit(w http.ResponseWriter, r *http.Request, who savepage.Principal, needed scopes) error {
	if g.onAccount != nil {
		g.onAccount(r, who.Account.ID)
	}
	limit := who.Limits.RequestsPerMinute
	now := g.clock.Now()
	counted := g.limiter.take(who.Account.ID, limit, now)
	counted.reset = counted.reset.Add(g.clock.Wall().Sub(now)) // as the client's clock has it
	counted.headers(w.Header())
	if !counted.allowed {
		return rateLimited(limit)
	}
	if !who.May(needed.list()...) {
		return savepage.Errorf(savepage.CodeForbidden, "this key does not have the scope %s", needed)
	}
	return nil
}

func rateLimited(limit int) *savepage.Error {
	return savepage.Errorf(savepage.CodeRateLimited, "the limit is %d requests per minute", limit)
}

// admitLink counts a request by a link against its account's limit, apart from those with keys: who sees a page must not use
// up what its owner's programs may ask. The answer does not tell how much is left.
func (g *gate) admitLink(r *http.Request, who savepage.Principal) error {
	if g.onAccount != nil {
		g.onAccount(r, who.Account.ID)
	}
	limit := who.Limits.RequestsPerMinute
	counted := g.limiter.take("link "+who.Account.ID, limit, g.clock.Now())
	if counted.allowed {
		return nil
	}
	fault := rateLimited(limit)
	fault.RetryAfter = counted.wait
	return fault
}
