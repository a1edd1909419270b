package dash

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/savepage/savepage"
)

// storeFields are the fields of a store in the form, as the API names them.
var storeFields = [...]string{
	"endpoint", "bucket", "prefix", "region", "addressing", "public_url", "access_key_id", "secret_access_key",
}

func storeAt(name string) string { return "/v1/stores/" + url.PathEscape(name) }

// stores shows the buckets of the account's own.
func (d *shelves) stores(w http.ResponseWriter, r *http.Request, s session) error {
	return d.showStores(w, s, http.StatusOK, view{"Given": map[string]string{}})
}

func (d *shelves) showStores(w http.ResponseWriter, s session, status int, v view) error {
	var list struct{ Stores []savepage.Store }
	if _, err := d.ask(s, http.MethodGet, "/v1/stores", nil, &list); err != nil {
		return err
	}
	v["Title"], v["Stores"], v["Most"], v["Addressings"] = "Stores", list.Stores, savepage.MaxStores, savepage.Addressings()
	d.show(w, s, status, "stores", v)
	return nil
}

// setUp keeps a store, or sets one up anew. What was given is shown again where it is wrong, but for secrets.
func (d *shelves) setUp(w http.ResponseWriter, r *http.Request, s session) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	name, body, given := strings.TrimSpace(r.PostFormValue("name")), map[string]any{}, map[string]string{}
	given["name"] = name
	for _, field := range storeFields {
		if value := strings.TrimSpace(r.PostFormValue(field)); value != "" {
			body[field], given[field] = value, value
		}
	}
	delete(given, "secret_access_key")
	if name == "" {
		return d.showStores(w, s, http.StatusBadRequest, view{"Given": given, "Wrong": map[string]string{"name": "is required"}})
	}
	_, err := d.ask(s, http.MethodPut, storeAt(name), body, nil)
	if wrong := wrongFields(err); len(wrong) > 0 {
		return d.showStores(w, s, http.StatusBadRequest, view{"Given": given, "Wrong": wrong})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, Prefix+"stores", http.StatusSeeOther)
	return nil
}

// tryStore writes, reads and removes an object there, and shows what came of it.
func (d *shelves) tryStore(w http.ResponseWriter, r *http.Request, s session) error {
	var trial savepage.StoreTrial
	if _, err := d.ask(s, http.MethodPost, storeAt(r.PathValue("name"))+"/test", nil, &trial); err != nil {
		return err
	}
	return d.showStores(w, s, http.StatusOK, view{"Given": map[string]string{}, "Trial": trial, "Tried": r.PathValue("name")})
}

// removeStore forgets a store. What is in the bucket stays.
func (d *shelves) removeStore(w http.ResponseWriter, r *http.Request, s session) error {
	if _, err := d.ask(s, http.MethodDelete, storeAt(r.PathValue("name")), nil, nil); err != nil {
		return err
	}
	http.Redirect(w, r, Prefix+"stores", http.StatusSeeOther)
	return nil
}
