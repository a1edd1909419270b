package dash

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
)

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
		"Filtered": len(without(query, "cursor")) > 0,
	})
	return nil
}

func (d *hooks) delivery(w http.ResponseWriter, r *http.Request, s session) error {
	var one savepage.Delivery
	if _, err := d.ask(s, http.MethodGet, "/v1/deliveries/"+url.PathEscape(r.PathValue("id")), nil, &one); err != nil {
		return err
	}
	d.show(w, s, http.StatusOK, "delivery", view{"Title": "Delivery", "Delivery": one})
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

// sendAllAgain makes all dead letters due.
func (d *hooks) sendAllAgain(w http.ResponseWriter, r *http.Request, s session) error {
	var sent client.Redelivered
	body := map[string]any{"since": time.Unix(0, 0).UTC().Format(time.RFC3339)}
	if _, err := d.ask(s, http.MethodPost, "/v1/deliveries/redeliver", body, &sent); err != nil {
		return err
	}
	http.Redirect(w, r, Prefix+"deliveries?"+url.Values{"sent": {strconv.Itoa(sent.Count)}}.Encode(), http.StatusSeeOther)
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
	v["Title"] = "Webhooks"
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
