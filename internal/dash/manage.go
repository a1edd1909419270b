package dash

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/site"
)

// keyList is the keys of an account, as the API lists them.
type keyList struct {
	Keys []savepage.Key `json:"keys"`
}

// keys shows the keys of the account.
func (d *manager) keys(w http.ResponseWriter, r *http.Request, s session) error {
	return d.showKeys(w, s, http.StatusOK, view{})
}

func (d *manager) showKeys(w http.ResponseWriter, s session, status int, v view) error {
	v["Title"], v["Scopes"], v["Now"] = "Keys", savepage.Scopes(), d.parts.Clock.Now()
	if s.who.May(savepage.ScopeAdmin) {
		var list keyList
		if _, err := d.ask(s, http.MethodGet, keysOf(s.who.Account.ID), nil, &list); err != nil {
			return err
		}
		v["Keys"] = list.Keys
	}
	d.show(w, s, status, "keys", v)
	return nil
}

func keysOf(account string) string { return "/v1/accounts/" + url.PathEscape(account) + "/keys" }

// createKey makes a key and shows it, once.
func (d *manager) createKey(w http.ResponseWriter, r *http.Request, s session) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return savepage.Errorf(savepage.CodeTooLarge, "the form must be at most %d bytes", maxForm)
	}
	body := map[string]any{"name": strings.TrimSpace(r.PostFormValue("name"))}
	if scopes := r.PostForm["scope"]; len(scopes) > 0 {
		body["scopes"] = scopes
	}
	if day := r.PostFormValue("expires"); day != "" {
		body["expires_at"] = day + "T00:00:00Z"
	}
	var issued savepage.Issued
	_, err := d.ask(s, http.MethodPost, keysOf(s.who.Account.ID), body, &issued)
	if wrong := wrongFields(err); len(wrong) > 0 {
		return d.showKeys(w, s, http.StatusBadRequest, view{"Wrong": wrong, "Name": body["name"]})
	}
	if err != nil {
		return err
	}
	return d.showKeys(w, s, http.StatusOK, view{
		"Issued": issued, "UseIt": site.Request{URL: d.config.PublicURL + "/v1/usage", Key: issued.Key}.Curl(),
	})
}

func (d *manager) revokeKey(w http.ResponseWriter, r *http.Request, s session) error {
	address := keysOf(r.PathValue("account")) + "/" + url.PathEscape(r.PathValue("key"))
	if _, err := d.ask(s, http.MethodDelete, address, nil, nil); err != nil {
		return err
	}
	http.Redirect(w, r, Prefix+"keys", http.StatusSeeOther)
	return nil
}
