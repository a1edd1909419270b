package dash

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
)

// countedAtMost is up to how many callbacks the API counts.
const countedAtMost = 100_000

// deliveries shows callbacks with their attempts.
func (d *hooks) deliveries(w http.ResponseWriter, r *http.Request, s session) error {
	query := r.URL.Query()
	asked := url.Values{
		"limit": {strconv.Itoa(pageLength)}, "state": query["state"], "capture_id": query["capture_id"], "cursor": query["cursor"],
	}
	var page client.DeliveryPage
	if _, err := d.ask(s, http.MethodGet, withQuery("/v1/deliveries", asked), nil, &page); err != nil {
		return err
	}
	older := url.Values{"state": query["state"], "capture_id": query["capture_id"], "cursor": {page.Next}}
	d.show(w, s, http.StatusOK, "deliveries", view{
		"Title": "Deliveries", "Deliveries": page.Deliveries, "Query": first(query), "Older": page.Next != "",
		"OlderLink": withQuery(Prefix+"deliveries", older), "States": savepage.DeliveryStates(), "Sent": query.Get("sent"),
		"Filtered": query.Get("state") != "" || query.Get("capture_id") != "", "Which": selected(query),
		"SendLink": withQuery(Prefix+"deliveries/send", url.Values{"state": query["state"], "capture_id": query["capture_id"]}),
	})
	return nil
}

func (d *hooks) delivery(w http.ResponseWriter, r *http.Request, s session) error {
	var one struct {
		savepage.Delivery

		Body string `json:"body"`
	}
	if _, err := d.ask(s, http.MethodGet, "/v1/deliveries/"+url.PathEscape(r.PathValue("id")), nil, &one); err != nil {
		return err
	}
	d.show(w, s, http.StatusOK, "delivery", view{
		"Title": "Delivery", "Delivery": one.Delivery, "Body": prettyJSON(one.Body), "BodyBytes": int64(len(one.Body)),
		"Self": r.URL.RequestURI(), "IsFile": sendsFile(one.Delivery),
	})
	return nil
}

func (d *hooks) sendAgain(w http.ResponseWriter, r *http.Request, s session) error {
	id := url.PathEscape(r.PathValue("id"))
	if _, err := d.ask(s, http.MethodPost, "/v1/deliveries/"+id+"/redeliver", nil, nil); err != nil {
		return err
	}
	http.Redirect(w, r, Prefix+"deliveries/"+id, http.StatusSeeOther)
	return nil
}

// selection is what the list of deliveries shows and may be sent again.
type selection struct{ State, CaptureID string }

// selected reads the filter of the list. Without a filter it is the dead letters; what is pending is sent anyway.
func selected(values url.Values) selection {
	which := selection{values.Get("state"), values.Get("capture_id")}
	switch {
	case which.State == string(savepage.Pending):
		return selection{}
	case which.State == "" && which.CaptureID != "":
		which.State = "ended"
	case which.State == "":
		which.State = string(savepage.Dead)
	}
	return which
}

// Words says what so many of the selection are; empty if nothing is selected.
func (w selection) Words(n int) string {
	one, many := "dead letter", "dead letters"
	switch w.State {
	case "":
		return ""
	case string(savepage.Delivered):
		one, many = "delivered callback", "delivered callbacks"
	case "ended":
		one, many = "callback that has ended", "callbacks that have ended"
	}
	if n != 1 {
		one = many
	}
	if w.CaptureID != "" {
		one += " of this capture"
	}
	return one
}

// body is the request of the API for the selection.
func (w selection) body(countOnly bool) map[string]any {
	body := map[string]any{"state": w.State, "count_only": countOnly}
	if w.CaptureID != "" {
		body["capture_id"] = w.CaptureID
	}
	return body
}

// confirmSending says how many callbacks would be sent again, and asks.
func (d *hooks) confirmSending(w http.ResponseWriter, r *http.Request, s session) error {
	query := r.URL.Query()
	which := selected(query)
	var found struct{ Matching int }
	if which.State != "" {
		if _, err := d.ask(s, http.MethodPost, "/v1/deliveries/redeliver", which.body(true), &found); err != nil {
			return err
		}
	}
	d.show(w, s, http.StatusOK, "sending", view{
		"Title": "Send again", "Which": which, "Count": found.Matching, "Most": countedAtMost,
		"Back": withQuery(Prefix+"deliveries", url.Values{"state": query["state"], "capture_id": query["capture_id"]}),
	})
	return nil
}

// sendAllAgain sends what the list selects.
func (d *hooks) sendAllAgain(w http.ResponseWriter, r *http.Request, s session) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	which := selection{r.PostFormValue("state"), r.PostFormValue("capture_id")}
	var sent struct{ Redelivered int }
	if _, err := d.ask(s, http.MethodPost, "/v1/deliveries/redeliver", which.body(false), &sent); err != nil {
		return err
	}
	back := url.Values{"sent": {strconv.Itoa(sent.Redelivered)}, "capture_id": {which.CaptureID}}
	http.Redirect(w, r, withQuery(Prefix+"deliveries", back), http.StatusSeeOther)
	return nil
}

// webhooks shows what signs callbacks, and tries a receiver.
func (d *hooks) webhooks(w http.ResponseWriter, r *http.Request, s session) error {
	return d.showWebhooks(w, s, view{})
}

func (d *hooks) showWebhooks(w http.ResponseWriter, s session, v view) error {
	if v["Secrets"] == nil {
		var secrets savepage.WebhookSecrets
		if _, err := d.ask(s, http.MethodGet, "/v1/webhooks/secret", nil, &secrets); err != nil {
			return err
		}
		v["Secrets"] = secrets
	}
	v["Title"], v["Verifiers"] = "Webhooks", d.config.Verifiers
	status := http.StatusOK
	if v["Wrong"] != nil {
		status = http.StatusBadRequest
	}
	d.show(w, s, status, "webhooks", v)
	return nil
}

// rotateSecret makes a new secret and shows it, once: the answer is not kept, and reloading it does not make another.
func (d *hooks) rotateSecret(w http.ResponseWriter, r *http.Request, s session) error {
	var made savepage.WebhookSecrets
	if _, err := d.ask(s, http.MethodPost, "/v1/webhooks/secret/rotate", map[string]any{}, &made); err != nil {
		return err
	}
	return d.showWebhooks(w, s, view{"Secrets": made, "Made": made.Secret})
}

func (d *hooks) testWebhook(w http.ResponseWriter, r *http.Request, s session) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	address := strings.TrimSpace(r.PostFormValue("url"))
	var trial savepage.Trial
	_, err := d.ask(s, http.MethodPost, "/v1/webhooks/test", map[string]any{"url": address}, &trial)
	if wrong := wrongFields(err); len(wrong) > 0 {
		return d.showWebhooks(w, s, view{"URL": address, "Wrong": wrong["url"]})
	}
	if err != nil {
		return err
	}
	return d.showWebhooks(w, s, view{"URL": address, "Trial": trial})
}
