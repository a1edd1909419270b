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

// keyed is a handler that needs an account.
type keyed func(w http.ResponseWriter, r *http.Request, account savepage.Account) error

// withKey lets a request through that carries a valid key and is within its account's limit.
func (a *API) withKey(next keyed) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		account, err := a.authenticate(w, r)
		if err == nil {
			err = a.admit(w, r, account)
		}
		if err == nil {
			err = next(w, r, account)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	})
}

// authenticate finds the account of the key in the Authorization header.
func (a *API) authenticate(w http.ResponseWriter, r *http.Request) (savepage.Account, error) {
	key, given := bearer(r)
	if !given {
		w.Header().Set("WWW-Authenticate", `Bearer realm="savepage"`)
		return savepage.Account{}, savepage.Errorf(savepage.CodeUnauthorized, "%s", missingKey(r))
	}
	account, err := a.parts.Keys.Authenticate(r.Context(), key)
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer realm="savepage", error="invalid_token"`)
	}
	return account, err
}

func bearer(r *http.Request) (string, bool) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	key = strings.TrimSpace(key)
	return key, strings.EqualFold(scheme, "Bearer") && key != ""
}

func missingKey(r *http.Request) string {
	query := r.URL.Query()
	if slices.ContainsFunc([]string{"key", "api_key", "apikey", "access_key", "token"}, query.Has) {
		return "a key in the address ends up in logs and is not taken: send Authorization: Bearer KEY"
	}
	return "send Authorization: Bearer KEY"
}

// admit counts the request against the account's limit and tells the client where it stands.
func (a *API) admit(w http.ResponseWriter, r *http.Request, account savepage.Account) error {
	if a.cfg.OnAccount != nil {
		a.cfg.OnAccount(r, account.ID)
	}
	allowed := a.limiter.take(account.ID, time.Now())
	a.limiter.headers(w.Header(), allowed)
	if !allowed.allowed {
		return savepage.Errorf(savepage.CodeRateLimited, "more than %d requests in a minute", a.cfg.RateLimit)
	}
	return nil
}
