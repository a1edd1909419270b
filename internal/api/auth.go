package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// headerRequestID is set on the answer by the middleware in front of the API.
const headerRequestID = "X-Request-Id"

// keyed is a handler that needs a key.
type keyed func(w http.ResponseWriter, r *http.Request, who savepage.Principal) error

// withKey lets a request through that carries a valid key with the scope and is within its account's limit.
func (a *API) withKey(scope savepage.Scope, next keyed) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := a.authenticate(w, r)
		if err == nil {
			err = a.admit(w, r, who, scope)
		}
		if err == nil {
			err = next(w, r, who)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	})
}

// authenticate finds who the key belongs to in the Authorization header.
func (a *API) authenticate(w http.ResponseWriter, r *http.Request) (savepage.Principal, error) {
	key, given := bearer(r)
	if !given {
		w.Header().Set("WWW-Authenticate", `Bearer realm="savepage"`)
		return savepage.Principal{}, savepage.Errorf(savepage.CodeUnauthorized, "%s", missingKey(r))
	}
	who, err := a.parts.Keys.Authenticate(r.Context(), key)
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

// admit counts the request against the account's limit, sets the headers that say how much of it is left, and checks
// what the key may do.
func (a *API) admit(w http.ResponseWriter, r *http.Request, who savepage.Principal, scope savepage.Scope) error {
	if a.cfg.OnAccount != nil {
		a.cfg.OnAccount(r, who.Account.ID)
	}
	limit := who.Limits.RequestsPerMinute
	counted := a.limiter.take(who.Account.ID, limit, time.Now())
	counted.headers(w.Header())
	if !counted.allowed {
		return savepage.Errorf(savepage.CodeRateLimited, "the limit is %d requests per minute", limit)
	}
	if !who.May(scope) {
		return savepage.Errorf(savepage.CodeForbidden, "this key does not have the scope %q", scope)
	}
	return nil
}
