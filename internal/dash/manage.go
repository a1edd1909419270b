package dash

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/inside"
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
	return d.showKeys(w, s, http.StatusOK, view{"Issued": issued, "Base": d.config.PublicURL})
}

func (d *manager) revokeKey(w http.ResponseWriter, r *http.Request, s session) error {
	address := keysOf(r.PathValue("account")) + "/" + url.PathEscape(r.PathValue("key"))
	if _, err := d.ask(s, http.MethodDelete, address, nil, nil); err != nil {
		return err
	}
	http.Redirect(w, r, Prefix+"keys", http.StatusSeeOther)
	return nil
}

// health is the answer of /readyz.
type health struct {
	Status string            `json:"status"`
	Wrong  map[string]string `json:"wrong"`
	Belts  map[string]string `json:"belts"`
}

// build is the answer of /version.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

// system shows the server: what does not work first.
func (d *manager) system(w http.ResponseWriter, r *http.Request, s session) error {
	if !s.who.May(savepage.ScopeAdmin) {
		d.show(w, s, http.StatusForbidden, "system", view{"Title": "System", "Denied": true})
		return nil
	}
	var ready health
	if err := d.open(r, s, "/readyz", &ready); err != nil {
		return err
	}
	var version build
	if err := d.open(r, s, "/version", &version); err != nil {
		return err
	}
	v := view{"Title": "System", "Ready": ready, "Build": version, "Self": r.URL.RequestURI()}
	d.addSources(r, v)
	d.show(w, s, http.StatusOK, "system", v)
	return nil
}

// open reads the JSON of an address that needs no key, whatever its status.
func (d *core) open(r *http.Request, s session, address string, result any) error {
	request, err := d.request(r, s, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Del("Authorization")
	return json.Unmarshal(inside.Ask(d.parts.API, request, "").Bytes(), result)
}

// addSources adds what the server counts. What cannot be read is left out: the part that is sick stands above it.
func (d *manager) addSources(r *http.Request, v view) {
	sources := d.parts.Sources
	if sources.Queues != nil {
		queues, err := sources.Queues(r.Context())
		if err == nil {
			v["Queues"] = queues
		}
	}
	if sources.Deliveries != nil {
		owed, err := sources.Deliveries(r.Context())
		if err == nil {
			v["Owed"] = owed
		}
	}
	if sources.Browsers != nil {
		v["Browsers"] = sources.Browsers()
	}
	if sources.Parts != nil {
		v["Parts"] = sources.Parts()
	}
}
