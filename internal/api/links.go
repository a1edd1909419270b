package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// Links is the secrets that sign links to pictures. An unknown one is *savepage.Error of CodeNotFound.
type Links interface {
	// Linked returns the secret with an id, and whose links it signs.
	Linked(ctx context.Context, id string) (secret string, who savepage.Principal, err error)
	// LinkSecrets returns those of an account without their texts, newest first.
	LinkSecrets(ctx context.Context, account string) ([]savepage.LinkSecret, error)
	// CreateLinkSecret makes one, which the answer alone holds whole. Too many are CodeConflict.
	CreateLinkSecret(ctx context.Context, account string) (savepage.LinkSecret, error)
	// RemoveLinkSecret ends one, and every link that it has signed.
	RemoveLinkSecret(ctx context.Context, account, id string) error
}

// LinkSecretList is the link secrets of an account.
type LinkSecretList struct {
	Secrets []savepage.LinkSecret `json:"secrets" doc:"Newest first, without their texts."`
}

// linkTTL is the cache_ttl of a link that gives none, in seconds: whoever sees a page would have its pictures taken anew.
const linkTTL = 86_400

// linkHandlers answer signed links with pictures, and manage the secrets that sign them.
type linkHandlers struct {
	out      responder
	gate     *gate
	links    Links
	submits  *submitter
	pictures *pictureHandlers
	decoder  *Decoder
	wait     time.Duration // for a picture
}

// image answers GET /v1/image. It needs no key: the signature permits exactly this picture.
func (h *linkHandlers) image(w http.ResponseWriter, r *http.Request) {
	if err := h.capture(w, r); err != nil {
		w.Header().Del("Cache-Control")
		if failed, known := errors.AsType[captureError](err); known { // who sees the page learns the reason and no more
			fault := failed.capture.Error
			h.out.problem(w, problemOf(fault, fault.Code.CaptureStatus()))
			return
		}
		h.out.fail(w, r, err)
	}
}

func (h *linkHandlers) capture(w http.ResponseWriter, r *http.Request) error {
	link, who, err := h.authenticate(r)
	if err != nil {
		return err
	}
	if err := h.gate.admitLink(r, who); err != nil {
		return err
	}
	s := submission{account: who.Account.ID, longest: who.Limits.Timeout, carrier: "query"}
	if s.options, err = h.options(link); err != nil {
		return err
	}
	c, err := h.ended(r, s)
	if err != nil {
		return err
	}
	err = h.send(w, r, c, link)
	if errors.Is(err, fs.ErrNotExist) && s.options.CacheTTL > 0 { // the kept picture has been removed: take a new one
		s.options.CacheTTL = 0
		if c, err = h.ended(r, s); err != nil {
			return err
		}
		err = h.send(w, r, c, link)
	}
	return err
}

// authenticate returns the link of a request and whose it is. A link that is not valid is refused without a word about what
// exists.
func (h *linkHandlers) authenticate(r *http.Request) (savepage.SignedLink, savepage.Principal, error) {
	refused := savepage.Errorf(savepage.CodeForbidden, "the link is not valid: its signature is missing or wrong, or its secret was removed")
	link, err := savepage.ParseLink(r.URL.RawQuery)
	if err != nil {
		return link, savepage.Principal{}, refused
	}
	now := h.gate.clock.Wall()
	if link.Fresh(now) != nil {
		return link, savepage.Principal{}, savepage.Errorf(savepage.CodeForbidden, "the link has expired")
	}
	secret, who, err := h.links.Linked(r.Context(), link.SecretID)
	if fault, known := errors.AsType[*savepage.Error](err); known && fault.Code == savepage.CodeNotFound {
		return link, savepage.Principal{}, refused
	}
	if err != nil {
		return link, savepage.Principal{}, err
	}
	if link.Verify(secret, now) != nil {
		return link, savepage.Principal{}, refused
	}
	return link, who, nil
}

// options are those of a link. A picture is kept for a day if the link does not say how long.
func (h *linkHandlers) options(link savepage.SignedLink) (savepage.Options, error) {
	var wrong []savepage.FieldError
	for name := range link.Options {
		if name == "async" || name == "store" || strings.HasPrefix(name, "callback_") {
			wrong = append(wrong, savepage.FieldError{Location: at("query", name), Message: "must not be in a link"})
		}
	}
	if len(wrong) > 0 {
		return savepage.Options{}, invalid(wrong)
	}
	options, err := h.decoder.Values("query", link.Options)
	if err == nil && !link.Options.Has("cache_ttl") {
		options.CacheTTL = linkTTL
	}
	return options, err
}

// ended submits and returns the capture when it has succeeded.
func (h *linkHandlers) ended(r *http.Request, s submission) (savepage.Capture, error) {
	accepted, err := h.submits.accept(r.Context(), s, true)
	if err != nil {
		return savepage.Capture{}, err
	}
	c, err := h.submits.await(r, accepted.Capture, h.wait)
	switch {
	case err != nil:
		return c, err
	case c.State == savepage.Success:
		return c, nil
	case c.State == savepage.Failed && c.Error != nil:
		return c, captureError{c}
	case c.State.Final():
		return c, savepage.Errorf(savepage.CodeConflict, "the capture was canceled")
	default:
		late := savepage.Errorf(savepage.CodeRenderTimeout, "the picture is not ready yet; open the link again")
		late.RetryAfter = 5 * time.Second
		return c, late
	}
}

func (h *linkHandlers) send(w http.ResponseWriter, r *http.Request, c savepage.Capture, link savepage.SignedLink) error {
	setCached(w.Header(), c)
	w.Header().Set("Cache-Control", linkCaching(c, link.Expires, h.gate.clock.Wall()))
	return h.pictures.send(w, r, c.Picture)
}

// linkCaching is how long others may keep the picture of a link: as long as the server would, then once more while they fetch
// it anew, and never beyond the end of the link.
func linkCaching(c savepage.Capture, expires, now time.Time) string {
	kept := time.Duration(c.Options.CacheTTL) * time.Second
	if kept == 0 {
		return "no-store"
	}
	fresh := max(kept-max(now.Sub(c.CapturedAt), 0), 0)
	stale := kept
	if !expires.IsZero() {
		fresh = min(fresh, expires.Sub(now))
		stale = min(stale, expires.Sub(now)-fresh)
	}
	return fmt.Sprintf("public, max-age=%d, stale-while-revalidate=%d", int(fresh.Seconds()), int(stale.Seconds()))
}

// list answers GET /v1/links/secrets.
func (h *linkHandlers) list(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	found, err := h.links.LinkSecrets(r.Context(), who.Account.ID)
	if err != nil {
		return err
	}
	if found == nil {
		found = []savepage.LinkSecret{}
	}
	h.out.json(w, r, http.StatusOK, LinkSecretList{Secrets: found})
	return nil
}

// create answers POST /v1/links/secrets.
func (h *linkHandlers) create(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	made, err := h.links.CreateLinkSecret(r.Context(), who.Account.ID)
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusCreated, made)
	return nil
}

// remove answers DELETE /v1/links/secrets/{id}.
func (h *linkHandlers) remove(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if err := h.links.RemoveLinkSecret(r.Context(), who.Account.ID, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *handlers) linkRoutes() []route {
	const secrets = "/v1/links/secrets"
	return []route{
		{http.MethodGet, savepage.LinkPath, http.HandlerFunc(h.links.image), h.documents.docLink()},
		h.keyed(mayRead, http.MethodGet, secrets, h.links.list, docLinkSecrets()),
		h.keyed(maySubmit, http.MethodPost, secrets, h.links.create, docCreateLinkSecret()),
		h.keyed(maySubmit, http.MethodDelete, secrets+"/{id}", h.links.remove, docRemoveLinkSecret()),
	}
}

func (d *documents) docLink() *huma.Operation {
	op := operation("imageByLink", tagCaptures, "Get the picture of a signed link", nil, 400, 403, 409, 429, 502, 503, 504)
	op.Security = []map[string][]string{}
	op.Description = "For an <img>, or whoever has no key. The query has options, exp if the link expires, and at its end sig: the id of a " +
		"link secret, a dot and the lower-case hex HMAC-SHA256 of the raw query before &sig=, keyed with the secret's own characters. " +
		"cache_ttl is 86400 if it is not given. async, store and callback options are refused. A link that has expired or whose signature is " +
		"wrong is 403 and costs nothing; a valid one counts like a request of its account, apart from those with keys."
	for _, f := range OptionFields() {
		if f.Name != "async" && f.Name != "store" && !strings.HasPrefix(f.Name, "callback_") {
			op.Parameters = append(op.Parameters, d.optionParam(f))
		}
	}
	signature := query("sig", "The signature; the last parameter.", text())
	signature.Required = true
	op.Parameters = append(op.Parameters,
		query("exp", "When the link expires, in Unix seconds; never if absent.", &huma.Schema{Type: huma.TypeInteger}), signature)
	op.Responses["200"] = &huma.Response{
		Description: "The picture. Cache-Control lets others keep it for cache_ttl, then once more while they fetch it anew, and never " +
			"longer than the link is valid.", Content: pictures(),
	}
	return op
}

func docLinkSecrets() *huma.Operation {
	return operation("listLinkSecrets", tagCaptures, "List the link secrets",
		map[int]reflect.Type{200: schemaOf[LinkSecretList]()}, 400, 401, 429)
}

func docCreateLinkSecret() *huma.Operation {
	op := operation("createLinkSecret", tagCaptures, "Create a link secret",
		map[int]reflect.Type{201: schemaOf[savepage.LinkSecret]()}, 400, 401, 409, 429)
	op.Description = "The answer contains the secret, only this once. All secrets of the account are valid at once, up to 10: to replace " +
		"one, create another, sign with it, and remove the first when its links are no longer used. Links go on when the key is revoked."
	return op
}

func docRemoveLinkSecret() *huma.Operation {
	op := operation("removeLinkSecret", tagCaptures, "Remove a link secret", nil, 400, 401, 404, 429)
	op.Description = "Every link that it has signed is refused from now on."
	op.Parameters = []*huma.Param{pathParam("id", "Id of the link secret.")}
	op.Responses["204"] = &huma.Response{Description: "Removed."}
	return op
}
