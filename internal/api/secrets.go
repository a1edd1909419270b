package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// Secrets is what signs the callbacks of an account.
type Secrets interface {
	// Secrets tells what may be told of them.
	Secrets(ctx context.Context, account string) (savepage.WebhookSecrets, error)
	// RotateSecret makes a new one, which its answer alone holds whole. Those before it sign for the overlap at most.
	RotateSecret(ctx context.Context, account string, overlap time.Duration) (savepage.WebhookSecrets, error)
	// Signing returns those that sign now, newest first.
	Signing(ctx context.Context, account string) ([]string, error)
}

// Rotation is the body of POST /v1/webhooks/secret/rotate.
type Rotation struct {
	Overlap *int `json:"overlap,omitempty" minimum:"0" maximum:"604800" default:"86400" doc:"How long older secrets still sign, in seconds. 0 ends them at once."`
}

// getSecret answers GET /v1/webhooks/secret.
func (a *API) getSecret(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	told, err := a.parts.Secrets.Secrets(r.Context(), who.Account.ID)
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, told)
	return nil
}

// rotateSecret answers POST /v1/webhooks/secret/rotate.
func (a *API) rotateSecret(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	var asked Rotation
	if err := a.readObject(w, r, &asked, true); err != nil {
		return err
	}
	overlap := savepage.SecretOverlap
	if asked.Overlap != nil {
		if *asked.Overlap < 0 || time.Duration(*asked.Overlap)*time.Second > savepage.MaxSecretOverlap {
			return invalid([]savepage.FieldError{{Location: "body.overlap", Message: "must be from 0 to 604800", Value: *asked.Overlap}})
		}
		overlap = time.Duration(*asked.Overlap) * time.Second
	}
	made, err := a.parts.Secrets.RotateSecret(r.Context(), who.Account.ID, overlap)
	if err != nil {
		return err
	}
	a.answer(w, r, http.StatusOK, made)
	return nil
}

func docGetSecret() *huma.Operation {
	op := operation("getWebhookSecret", tagWebhooks, "Tell the webhook secrets apart", map[int]reflect.Type{200: schemaOf[savepage.WebhookSecrets]()}, 400, 401, 429)
	op.Description = "Shows how each secret that signs begins and ends, never a whole one: that is shown once, when it is made."
	return op
}

func docRotateSecret() *huma.Operation {
	op := operation("rotateWebhookSecret", tagWebhooks, "Replace the webhook secret",
		map[int]reflect.Type{200: schemaOf[savepage.WebhookSecrets]()}, 400, 401, 409, 413, 415, 429)
	op.Description = "The answer shows the new secret, this once. For the overlap webhook-signature holds a signature of the new secret and one of each " +
		"before it, separated by spaces; X-Signature is of the new one at once. An answer that was lost is no loss: rotate again, up to 10 older ones are kept."
	op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Schema: refTo("Rotation")}}}
	return op
}
