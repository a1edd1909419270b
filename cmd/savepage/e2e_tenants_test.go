package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// operation is a part of the OpenAPI document.
type operation struct {
	OperationID string                `json:"operationId"`
	Security    []map[string][]string `json:"security"`
}

// keyed reports whether the operation needs a key.
func (o operation) keyed() bool { return len(o.Security) > 0 }

// newAccount makes a key of another account.
func (p *program) newAccount() string {
	p.t.Helper()
	out, err := exec.CommandContext(p.t.Context(), p.path, "key", "create", "--json", "--data", p.data).Output()
	var made struct {
		Key string `json:"key"`
	}
	if err != nil || json.Unmarshal(out, &made) != nil || made.Key == "" {
		p.t.Fatalf("key create: %v, %s", err, out)
	}
	return made.Key
}

// G08, G09: every route of the document, with the ids of one account and the key of another, with none and with a revoked
// one. A new route is covered as soon as it is documented.
func TestTenants(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	const mark = "only-the-first-account-knows"
	hook := newReceiver(t, p.secret, takes)
	p.start()
	id := p.submit(map[string]any{"html": "<p>" + mark, "metadata": mark, "callback_url": hook.URL + "/" + mark, "width": 320, "height": 240})
	p.eventually("the callback", func() bool { return hook.taken([]string{id}) == 1 })
	p.eventually("its record", func() bool { return len(p.deliveriesPage("capture_id="+id)) == 1 })
	status, _, text := p.call(http.MethodPost, "/v1/batches", map[string]any{"captures": []map[string]any{{"html": mark}}, "metadata": mark})
	var batch told
	if err := json.Unmarshal(text, &batch); err != nil || batch.BatchID == "" {
		t.Fatalf("batch: status %d, %s", status, text)
	}
	status, _, text = p.call(http.MethodPost, "/v1/links/secrets", nil)
	var secret struct{ ID string }
	if err := json.Unmarshal(text, &secret); err != nil || secret.ID == "" {
		t.Fatalf("link secret: status %d, %s", status, text)
	}
	status, _, text = p.call(http.MethodPost, "/v1/webhooks/test", map[string]any{"url": "https://inbox.savepage.invalid/" + mark})
	if status != http.StatusOK {
		t.Fatalf("test event: status %d, %s", status, text)
	}
	event := arrived(p)
	status, _, text = p.call(http.MethodPut, "/v1/stores/str_theirs", map[string]any{
		"bucket": mark, "access_key_id": mark, "secret_access_key": mark,
	})
	if status != http.StatusCreated {
		t.Fatalf("store: status %d, %s", status, text)
	}
	ids := map[string][2]string{ // by the first part of the path: the id of the first account, and one that never was
		"captures":   {id, "cap_" + strings.Repeat("0", len(id)-4)},
		"deliveries": {p.deliveriesPage("capture_id=" + id)[0].ID, ""},
		"batches":    {batch.BatchID, "bat_" + strings.Repeat("0", len(batch.BatchID)-4)},
		"inbox":      {event, "evt_" + strings.Repeat("0", len(event)-4)},
		"links":      {secret.ID, "lnk_" + strings.Repeat("0", len(secret.ID)-4)},
		"stores":     {"str_theirs", "str_nobody"},
		"accounts":   {p.account, "acc_" + strings.Repeat("0", len(p.account)-4)},
	}
	prefix, rest, _ := strings.Cut(ids["deliveries"][0], "_")
	ids["deliveries"] = [2]string{ids["deliveries"][0], prefix + "_" + strings.Repeat("0", len(rest))}
	second, revoked := p.newAccount(), p.newAccount()
	if out, err := exec.CommandContext(t.Context(), p.path, "key", "revoke", revoked, "--data", p.data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.eventually("the key is revoked", func() bool {
		status, _, _ := p.call(http.MethodGet, "/v1/captures", nil, "Authorization", "Bearer "+revoked)
		return status == http.StatusUnauthorized
	})
	walked := p.walk(ids, mark, second, revoked)
	if walked < 28 {
		t.Errorf("only %d keyed routes", walked)
	}
	// Nothing of the first account has changed.
	if got := p.lookup(id); got.Status != "success" || len(got.Deliveries) != 1 {
		t.Errorf("afterwards: %+v", got)
	}
	status, _, text = p.call(http.MethodGet, "/v1/batches/"+batch.BatchID, nil)
	if status != http.StatusOK || strings.Contains(string(text), `"canceled":1`) {
		t.Errorf("the batch afterwards: %d %s", status, text)
	}
}

// walk asks every keyed route and returns how many there are.
func (p *program) walk(ids map[string][2]string, mark, second, revoked string) (walked int) {
	p.t.Helper()
	_, _, text := p.call(http.MethodGet, "/openapi.json", nil)
	var document struct {
		Paths map[string]map[string]operation `json:"paths"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		p.t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for method, op := range document.Paths[path] {
			if !op.keyed() {
				continue
			}
			walked++
			method = strings.ToUpper(method)
			theirs, unknown := path, path
			if strings.Contains(path, "{") {
				kind, is := ids[strings.Split(path, "/")[2]]
				named := strings.Replace(path, "{key}", p.key[:11], 1)
				theirs, unknown = strings.NewReplacer("{id}", kind[0], "{name}", kind[0]).Replace(named),
					strings.NewReplacer("{id}", kind[1], "{name}", kind[1]).Replace(named)
				if !is || strings.Contains(theirs, "{") {
					p.t.Errorf("%s %s: say which id stands there", method, path)
					continue
				}
			}
			p.strangers(method, theirs, unknown, mark, second, revoked)
		}
	}
	return walked
}

// strangers asks one route without a key, with a revoked one, and with the key of another account.
func (p *program) strangers(method, theirs, unknown, mark, second, revoked string) {
	p.t.Helper()
	for name, key := range map[string]string{"no key": "Basic x", "a revoked key": "Bearer " + revoked} {
		if status, _, text := p.call(method, theirs, nil, "Authorization", key); status != http.StatusUnauthorized {
			p.t.Errorf("%s %s with %s: %d %s", method, theirs, name, status, text)
		}
	}
	status, head, text := p.call(method, theirs, nil, "Authorization", "Bearer "+second)
	if strings.Contains(string(text), mark) || strings.Contains(strings.ToLower(head.Get("Location")), mark) {
		p.t.Errorf("%s %s tells another account %s", method, theirs, text)
	}
	if theirs == unknown || method == http.MethodPut { // who puts makes something of the own account
		return
	}
	never, _, same := p.call(method, unknown, nil, "Authorization", "Bearer "+second)
	mine, other := theirs[strings.LastIndex(theirs, "_"):], unknown[strings.LastIndex(unknown, "_"):]
	mine, _, _ = strings.Cut(mine, "/")
	other, _, _ = strings.Cut(other, "/")
	refusal := http.StatusNotFound
	if strings.HasPrefix(theirs, "/v1/accounts/") {
		refusal = http.StatusForbidden // that takes the scope admin
	}
	if status != refusal || never != status ||
		withoutRequestID(strings.ReplaceAll(string(text), mine, "ID")) != withoutRequestID(strings.ReplaceAll(string(same), other, "ID")) {
		p.t.Errorf("%s %s: another account gets %d %s; for an unknown id it is %d %s", method, theirs, status, text, never, same)
	}
}

// withoutRequestID takes out what differs between any two answers.
func withoutRequestID(body string) string {
	var v map[string]any
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	delete(v, "request_id")
	delete(v, "instance")
	text, _ := json.Marshal(v) // a map of JSON values
	return string(text)
}
