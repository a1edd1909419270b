package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// Secrets manages the secrets that sign the callbacks of an account.
type Secrets interface {
	// Secrets describes them.
	Secrets(ctx context.Context, account string) (savepage.WebhookSecrets, error)
	// RotateSecret creates a new one, which only this answer contains. Earlier ones sign for at most the overlap.
	RotateSecret(ctx context.Context, account string, overlap time.Duration) (savepage.WebhookSecrets, error)
	// Signing returns the secrets that sign now, newest first.
	Signing(ctx context.Context, account string) ([]string, error)
}

// Rotation is the body of POST /v1/webhooks/secret/rotate.
type Rotation struct {
	Overlap *int `json:"overlap,omitempty" minimum:"0" maximum:"604800" default:"86400" doc:"How many seconds what is replaced stays valid."`
}

// secretHandlers answer requests for and rotations of webhook secrets.
type secretHandlers struct {
	out     responder
	secrets Secrets
}

// get answers GET /v1/webhooks/secret.
func (h *secretHandlers) get(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	found, err := h.secrets.Secrets(r.Context(), who.Account.ID)
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, found)
	return nil
}

// rotate answers POST /v1/webhooks/secret/rotate.
func (h *secretHandlers) rotate(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	overlap, err := readOverlap(w, r)
	if err != nil {
		return err
	}
	made, err := h.secrets.RotateSecret(r.Context(), who.Account.ID, overlap)
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, made)
	return nil
}

// readOverlap reads how long what is replaced stays valid.
func readOverlap(w http.ResponseWriter, r *http.Request) (time.Duration, error) {
	if err := noQuery(r); err != nil {
		return 0, err
	}
	var asked Rotation
	if err := readObject(w, r, &asked, true); err != nil {
		return 0, err
	}
	if asked.Overlap == nil {
		return savepage.SecretOverlap, nil
	}
	if *asked.Overlap < 0 || time.Duration(*asked.Overlap)*time.Second > savepage.MaxSecretOverlap {
		return 0, invalidField("body.overlap", "must be from 0 to 604800", *asked.Overlap)
	}
	return time.Duration(*asked.Overlap) * time.Second, nil
}

func docGetSecret() *huma.Operation {
	op := operation("getWebhookSecret", tagWebhooks, "Identify the webhook secrets",
		map[int]reflect.Type{200: schemaOf[savepage.WebhookSecrets]()}, 400, 401, 429)
	op.Description = "Shows the first and last characters of every secret that signs. A whole secret is shown only once, when it is created."
	return op
}

func docRotateSecret() *huma.Operation {
	op := operation("rotateWebhookSecret", tagWebhooks, "Replace the webhook secret",
		map[int]reflect.Type{200: schemaOf[savepage.WebhookSecrets]()}, 400, 401, 409, 413, 415, 429)
	op.Description = "The answer contains the new secret, only this once. During the overlap, webhook-signature contains signatures of the " +
		"new and of every earlier secret, separated by spaces; X-Signature uses the new one at once. If the answer is lost, rotate again: " +
		"up to 10 earlier secrets are kept."
	op.RequestBody = jsonBody("Rotation", false)
	return op
}
