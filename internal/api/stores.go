package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// Stores is the buckets that accounts have of their own. An unknown one is *savepage.Error of CodeNotFound.
type Stores interface {
	// Stores returns those of an account without their credentials, by name.
	Stores(ctx context.Context, account string) ([]savepage.Store, error)
	// OpenStore returns one with its credentials.
	OpenStore(ctx context.Context, account, name string) (savepage.Store, error)
	// KeepStore sets one up, anew if there is one of its name, and reports whether there was none. Too many are CodeConflict.
	KeepStore(ctx context.Context, account string, s savepage.Store) (kept savepage.Store, created bool, err error)
	// RemoveStore removes one.
	RemoveStore(ctx context.Context, account, name string) error
}

// StoreTester tries stores out.
type StoreTester interface {
	// Admit returns the normal form of an endpoint, or *savepage.Error where it may not be reached.
	Admit(endpoint string) (string, error)
	// Test writes an object into a store and removes it.
	Test(ctx context.Context, account string, s savepage.Store) savepage.StoreTrial
}

// StoreBody is the body of PUT /v1/stores/{name}.
type StoreBody struct {
	Endpoint        string              `json:"endpoint,omitempty" maxLength:"8192" example:"https://s3.eu-central-1.amazonaws.com"`
	Bucket          string              `json:"bucket" minLength:"3" maxLength:"63" example:"my-pictures"`
	Region          string              `json:"region,omitempty" maxLength:"64" example:"eu-central-1"`
	Prefix          string              `json:"prefix,omitempty" maxLength:"256" example:"shots/"`
	Addressing      savepage.Addressing `json:"addressing,omitempty"`
	PublicURL       string              `json:"public_url,omitempty" maxLength:"8192" example:"https://cdn.example.com"`
	AccessKeyID     string              `json:"access_key_id,omitempty" writeOnly:"true" maxLength:"256"`
	SecretAccessKey string              `json:"secret_access_key,omitempty" writeOnly:"true" maxLength:"1024"`
}

// storeSchemas registers the body with its texts.
func storeSchemas(r huma.Registry) {
	s := r.SchemaFromRef(r.Schema(reflect.TypeFor[StoreBody](), true, "StoreBody").Ref)
	for name, doc := range map[string]string{
		"endpoint": "URL of the service: https://host or http://host:port. Default: Amazon S3.",
		"bucket":   "Name of a bucket that exists.",
		"region":   "Region of the bucket. Default: the one that the endpoint names, or us-east-1.",
		"prefix":   "What all keys begin with.",
		"addressing": "path: https://host/bucket/key. virtual: https://bucket.host/key. auto: virtual at Amazon, Google and Alibaba, else " +
			"path. Default: auto.",
		"public_url": "What the URLs in results begin with, such as a CDN before the bucket. Default: the bucket's own address.",
		"access_key_id": "Credentials of the bucket. No answer contains them. Absent both, the store keeps those that it has, if its endpoint " +
			"stays the same.",
		"secret_access_key": "See access_key_id.",
	} {
		s.Properties[name].Description = doc
	}
}

// StoreList is the stores of an account.
type StoreList struct {
	Stores []savepage.Store `json:"stores" doc:"By name, without their credentials."`
}

// storeHandlers answer requests that manage and try the stores of an account.
type storeHandlers struct {
	out    responder
	stores Stores
	tester StoreTester
	drain  *drain
	busy   places
}

// list answers GET /v1/stores.
func (h *storeHandlers) list(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	found, err := h.stores.Stores(r.Context(), who.Account.ID)
	if err != nil {
		return err
	}
	if found == nil {
		found = []savepage.Store{}
	}
	h.out.json(w, r, http.StatusOK, StoreList{Stores: found})
	return nil
}

// find returns the store that the path names, or an error that is the same for one of another account.
func (h *storeHandlers) find(r *http.Request, who savepage.Principal) (savepage.Store, error) {
	found, err := h.stores.OpenStore(r.Context(), who.Account.ID, r.PathValue("name"))
	return found, noStore(err)
}

func noStore(err error) error {
	if fault, known := errors.AsType[*savepage.Error](err); known && fault.Code == savepage.CodeNotFound {
		return savepage.Errorf(savepage.CodeNotFound, "the store does not exist")
	}
	return err
}

// get answers GET /v1/stores/{name}.
func (h *storeHandlers) get(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	found, err := h.find(r, who)
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, found)
	return nil
}

// put answers PUT /v1/stores/{name}.
func (h *storeHandlers) put(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	var asked StoreBody
	if err := readObject(w, r, &asked, false); err != nil {
		return err
	}
	s := savepage.Store{
		Name: r.PathValue("name"), Endpoint: asked.Endpoint, Bucket: asked.Bucket, Region: asked.Region, Prefix: asked.Prefix,
		Addressing: asked.Addressing, PublicURL: asked.PublicURL,
		Keys: savepage.StoreKeys{AccessKeyID: asked.AccessKeyID, SecretAccessKey: asked.SecretAccessKey},
	}.WithDefaults()
	normal, refused := h.tester.Admit(s.Endpoint)
	if refused == nil {
		s.Endpoint = strings.TrimSuffix(normal, "/")
	}
	if err := h.keepKeys(r, who, &s); err != nil {
		return err
	}
	if err := refuseStore(s, refused); err != nil {
		return err
	}
	kept, created, err := h.stores.KeepStore(r.Context(), who.Account.ID, s)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	h.out.json(w, r, status, kept)
	return nil
}

// keepKeys gives a store that is set up anew without credentials those that it has. Another endpoint does not get them.
func (h *storeHandlers) keepKeys(r *http.Request, who savepage.Principal, s *savepage.Store) error {
	if s.Keys != (savepage.StoreKeys{}) {
		return nil
	}
	before, err := h.stores.OpenStore(r.Context(), who.Account.ID, s.Name)
	if fault, known := errors.AsType[*savepage.Error](err); known && fault.Code == savepage.CodeNotFound {
		return nil
	}
	if err == nil && before.Endpoint == s.Endpoint {
		s.Keys = before.Keys
	}
	return err
}

// refuseStore returns everything that is wrong with a store. refused is why its endpoint may not be reached.
func refuseStore(s savepage.Store, refused error) error {
	wrong := s.ValidateFields()
	for i, field := range wrong {
		if wrong[i].Location = at("body", field.Location); field.Location == "name" {
			wrong[i].Location = "path.name"
		}
	}
	fault, known := errors.AsType[*savepage.Error](refused)
	if refused != nil && !known {
		return refused
	}
	told := slices.ContainsFunc(wrong, func(f savepage.FieldError) bool { return f.Location == "body.endpoint" })
	if known && !told {
		wrong = append(wrong, savepage.FieldError{Location: "body.endpoint", Message: fault.Message, Value: echo(s.Endpoint)})
	}
	if len(wrong) == 0 {
		return nil
	}
	err := invalid(wrong)
	if known && len(wrong) == 1 {
		err.Code = cmp.Or(fault.Code, err.Code)
	}
	return err
}

// remove answers DELETE /v1/stores/{name}.
func (h *storeHandlers) remove(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if err := h.stores.RemoveStore(r.Context(), who.Account.ID, r.PathValue("name")); err != nil {
		return noStore(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// test answers POST /v1/stores/{name}/test.
func (h *storeHandlers) test(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if err := h.drain.refusal(); err != nil {
		return err
	}
	found, err := h.find(r, who)
	if err != nil {
		return err
	}
	leave := h.busy.enter(who.Account.ID, who.Limits.TestEvents)
	if leave == nil {
		const message = "too many tests: the account may have %d under way"
		return savepage.Errorf(savepage.CodeRateLimited, message, who.Limits.TestEvents)
	}
	defer leave()
	h.out.json(w, r, http.StatusOK, h.tester.Test(r.Context(), who.Account.ID, found))
	return nil
}

func (h *handlers) storeRoutes() []route {
	const all, one = "/v1/stores", "/v1/stores/{name}"
	return []route{
		h.keyed(mayRead, http.MethodGet, all, h.stores.list, docStores()),
		h.keyed(mayRead, http.MethodGet, one, h.stores.get, docStore()),
		h.keyed(maySubmit, http.MethodPut, one, h.stores.put, docPutStore()),
		h.keyed(maySubmit, http.MethodDelete, one, h.stores.remove, docRemoveStore()),
		h.keyed(maySubmit, http.MethodPost, one+"/test", h.stores.test, docTestStore()),
	}
}

// addressingSchema stands for savepage.Addressing in schemas.
type addressingSchema string

// Schema lists the ways of addressing.
func (addressingSchema) Schema(huma.Registry) *huma.Schema {
	return wordsSchema(savepage.Addressings())
}

func docStores() *huma.Operation {
	op := operation("listStores", tagStores, "List the stores", map[int]reflect.Type{200: schemaOf[StoreList]()}, 400, 401, 429)
	op.Description = "A store is a bucket of the account's own, at Amazon S3 or any service with its API, in which captures put their " +
		"pictures."
	return op
}

func docStore() *huma.Operation {
	op := operation("getStore", tagStores, "Get a store", map[int]reflect.Type{200: schemaOf[savepage.Store]()}, 400, 401, 404, 429)
	op.Parameters = []*huma.Param{storeParam()}
	return op
}

func docPutStore() *huma.Operation {
	op := operation("putStore", tagStores, "Set up a store", map[int]reflect.Type{
		200: schemaOf[savepage.Store](), 201: schemaOf[savepage.Store](),
	}, 400, 401, 409, 413, 415, 429)
	op.Description = "Makes the store (201), or sets it up anew (200): what is absent gets its default. Nothing is asked of the bucket: " +
		"try it with POST /v1/stores/{name}/test. An endpoint with a private address is refused, unless the operator has allowed it. An " +
		"account has up to " + strconv.Itoa(savepage.MaxStores) + " stores. The credentials need s3:PutObject; s3:GetObject, " +
		"s3:AbortMultipartUpload and s3:ListBucketMultipartUploads are of use."
	op.Parameters = []*huma.Param{storeParam()}
	op.RequestBody = jsonBody("StoreBody", true)
	return op
}

func docRemoveStore() *huma.Operation {
	op := operation("removeStore", tagStores, "Remove a store", nil, 400, 401, 404, 429)
	op.Description = "What is in the bucket stays there. Captures that still wait for it fail with store_failed."
	op.Parameters = []*huma.Param{storeParam()}
	op.Responses["204"] = &huma.Response{Description: "Removed."}
	return op
}

func docTestStore() *huma.Operation {
	op := operation("testStore", tagStores, "Test a store",
		map[int]reflect.Type{200: schemaOf[savepage.StoreTrial]()}, 400, 401, 404, 429, 503)
	op.Description = "Writes a small object into the bucket, looks whether it is kept and can be looked up, and removes it. The status is " +
		"200 whatever the bucket answers: see success and checks."
	op.Parameters = []*huma.Param{storeParam()}
	return op
}

func storeParam() *huma.Param {
	return pathParam("name", "Name of the store: 1 to 63 lower-case letters, digits, - and _, beginning with a letter or digit.")
}
