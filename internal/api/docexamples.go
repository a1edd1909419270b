package api

import (
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// What the examples of the document are about.
const (
	sampleCapture  = "cap_01jd8x6v3m2k9q4t7w5z0a1b2c"
	sampleBatch    = "bat_01jd8x6v3m2k9q4t7w5z0a1b2c"
	sampleDelivery = "msg_01jd8x6z8n5p3r7s9v2x4y6a8b"
	sampleEvent    = "evt_01jd8x6z8r6q4t8u0w3y5z7b9d"
	sampleAccount  = "acc_01jd8x5a7c9e2g4j6m8p0r3t5v"
	sampleKey      = "sp_3kT9xQ2a"
	sampleStore    = "archive"
	sampleLink     = "lnk_8Hd2kQ9sLm4T"
	samplePicture  = "k7w2m9q4t5z0a1b2c3d4e6f8gh.webp"
	samplePage     = "https://example.com/pricing"
	sampleHook     = "https://myapp.example.com/hook"
	sampleSecret   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" //nolint:gosec // an example, which signs nothing
)

// samples are the examples of the document: values of the types that answers are written from.
type samples struct{ links capture.Links }

// at is a moment in the examples.
func (samples) at(seconds int) time.Time {
	return time.Date(2026, 4, 1, 12, 0, seconds, 0, time.UTC)
}

// answers are the examples of answers by their types.
func (s samples) answers() map[reflect.Type]any {
	all := map[reflect.Type]any{}
	for _, one := range []any{
		s.view(), Accepted{Status: "accepted", CaptureID: sampleCapture, StatusURL: s.links.Status(sampleCapture)}, s.record(),
		Page{Captures: []Record{s.listed()}, NextCursor: "MjAyNi0wNC0wMVQxMg"},
		AcceptedBatch{
			Status: "accepted", BatchID: sampleBatch, CaptureIDs: []string{sampleCapture, "cap_01jd8x6v3n7r4s9w2y5b8d0f3h"},
			StatusURL: s.links.Batch(sampleBatch),
		},
		s.batch(), BatchPage{Batches: []BatchRecord{s.batch()}}, capture.BatchEvent{Event: "batch", BatchView: s.batch().BatchView},
		StepEvent{CaptureID: sampleCapture, Status: savepage.Running, Attempt: 1, Phase: capture.PhaseSettle, At: s.at(1)},
		s.deliveryRecord(), s.delivery(), DeliveryPage{Deliveries: []savepage.Delivery{s.delivery()}},
		Redelivered{Redelivered: 120, LastAt: new(s.at(3))},
		savepage.WebhookSecrets{
			Secret: sampleSecret, Current: savepage.SecretInfo{Hint: "whsec_MfKQ…LaSw", CreatedAt: s.at(0)},
			Previous: []savepage.SecretInfo{},
		},
		s.trial(), s.inboxEvent(), s.store(), StoreList{Stores: []savepage.Store{s.store()}}, s.storeTrial(),
		savepage.Inbox{URL: savepage.InboxURL, Answer: savepage.InboxOK, Events: []savepage.InboxEvent{s.inboxEvent()}},
		LinkSecretList{Secrets: []savepage.LinkSecret{{ID: sampleLink, CreatedAt: s.at(0)}}},
		savepage.LinkSecret{ID: sampleLink, Secret: sampleLink + "_4nQ8sV2yB6eH0kN3rU7xA1dG5jM9pT4w", CreatedAt: s.at(0)},
		DeviceList{Devices: savepage.Devices()[:1]}, Version{Version: "v1.4.0", Go: "go1.26.0"},
		s.account(), AccountPage{Accounts: []savepage.AccountInfo{s.account()}}, s.usage(), s.history(),
		NodeList{Nodes: []savepage.Node{s.node()}},
		savepage.Issued{
			Account: sampleAccount, Key: sampleKey + "7uW4yC8gJ1mP5sV9bE3hL6nR0tX2zD", Name: "shop",
			Scopes: []savepage.Scope{savepage.ScopeCapture, savepage.ScopeRead},
		},
		KeyList{Keys: []savepage.Key{{
			Account: sampleAccount, Prefix: sampleKey, Name: "shop", Scopes: savepage.UsualScopes(), CreatedAt: s.at(0), LastUsed: s.at(0),
		}}},
	} {
		all[reflect.TypeOf(one)] = one
	}
	return all
}

// done is a capture that has succeeded.
func (s samples) done() savepage.Capture {
	return savepage.Capture{
		ID: sampleCapture, Account: sampleAccount, KeyID: sampleKey, State: savepage.Success, Attempt: 1,
		Options: savepage.Options{
			URL: samplePage, Fullpage: true, Format: savepage.FormatWebP, CallbackURL: sampleHook, Metadata: savepage.Metadata(`{"order":17}`),
		},
		CreatedAt: s.at(0), StartedAt: s.at(0), FinishedAt: s.at(1), CapturedAt: s.at(1),
		Picture: &savepage.Picture{Name: samplePicture, Format: savepage.FormatWebP, Width: 1440, Height: 6820, Size: 412_338},
		Report: &savepage.Report{
			HTTPStatus: http.StatusOK, FinalURL: samplePage, Title: "Pricing", Requests: savepage.RequestReport{Total: 42},
		},
		Timing: savepage.Timing{QueueMS: 3, RenderMS: 914, TotalMS: 917},
	}
}

func (s samples) view() capture.View { return capture.NewView(s.done(), s.links) }

func (s samples) listed() Record {
	return finder{links: s.links, fields: OptionFields()}.record(s.done())
}

func (s samples) record() Record {
	one := s.listed()
	one.Deliveries = &[]savepage.Delivery{s.delivery()}
	one.Options = map[string]any{"url": samplePage, "fullpage": true, "format": "webp", "callback_url": sampleHook}
	return one
}

func (s samples) batch() BatchRecord {
	handlers := batchHandlers{links: s.links}
	return handlers.record(savepage.Batch{
		ID: sampleBatch, Account: sampleAccount, CreatedAt: s.at(0), EndedAt: s.at(40), Counts: savepage.Counts{Total: 2, Success: 2},
	})
}

func (s samples) delivery() savepage.Delivery {
	return savepage.Delivery{
		ID: sampleDelivery, CaptureID: sampleCapture, URL: sampleHook, Event: savepage.EventSuccess, State: savepage.Delivered,
		CreatedAt: s.at(1), EndedAt: new(s.at(7)),
		Attempts: []savepage.Attempt{
			{
				Number: 1, At: s.at(1), Outcome: savepage.AttemptStatus, Status: http.StatusServiceUnavailable, LatencyMS: 84,
				Error: "the receiver answered 503", NextAt: new(s.at(6)),
			},
			{Number: 2, At: s.at(6), Outcome: savepage.AttemptDelivered, Status: http.StatusOK, LatencyMS: 61, Answer: "ok"},
		},
	}
}

func (s samples) deliveryRecord() DeliveryRecord {
	one := DeliveryRecord{Delivery: s.delivery(), Body: `{"status":"success","capture_id":"` + sampleCapture + `"}`}
	for i := range one.Attempts {
		one.Attempts[i].Request = &savepage.SentRequest{Method: http.MethodPost, Headers: s.trial().Sent.Headers}
	}
	return one
}

func (s samples) trial() savepage.Trial {
	return savepage.Trial{
		Outcome: savepage.AttemptDelivered, Status: http.StatusOK, LatencyMS: 61, Answer: "ok", Hints: []string{},
		Sent: savepage.Sent{
			Headers: map[string]string{savepage.HeaderWebhookID: sampleDelivery, savepage.HeaderWebhookTimestamp: "1775044801"},
			Body:    `{"status":"test","capture_id":"` + sampleCapture + `"}`,
		},
	}
}

func (s samples) store() savepage.Store {
	return savepage.Store{
		Name: sampleStore, Endpoint: "https://s3.eu-central-1.amazonaws.com", Bucket: "my-pictures", Region: "eu-central-1", Prefix: "shots/",
		Addressing: savepage.AddressingAuto, CreatedAt: s.at(0), UpdatedAt: s.at(0),
	}
}

func (s samples) storeTrial() savepage.StoreTrial {
	return savepage.StoreTrial{
		Success: true, URL: s.store().ObjectURL("shots/savepage-test-k7w2m9q4.txt"), Hints: []string{},
		Checks: []savepage.StoreCheck{{Check: "write", Success: true, Needed: true, LatencyMS: 84}},
	}
}

func (s samples) inboxEvent() savepage.InboxEvent {
	sent := s.trial().Sent
	return savepage.InboxEvent{
		ID: sampleEvent, Type: savepage.InboxCapture, WebhookID: sampleDelivery, CaptureID: sampleCapture, Attempt: 1, ReceivedAt: s.at(1),
		AfterMS: 14, Method: http.MethodPost, URL: savepage.InboxURL, Headers: sent.Headers, Body: `{"status":"success"}`, BodyBytes: 20,
		Verified: true, Checks: []savepage.InboxCheck{{What: "webhook-signature", OK: true, Text: "matches."}}, Answer: savepage.InboxOK,
	}
}

func (s samples) account() savepage.AccountInfo {
	return savepage.AccountInfo{
		ID: sampleAccount, Name: "Shop", CreatedAt: s.at(0), Limits: map[string]int{savepage.LimitTable()[0].Name: 120}, Pending: 4, Running: 2,
	}
}

func (s samples) node() savepage.Node {
	return savepage.Node{
		ID: "node_01jd8x5a7c9e2g4j6m8p0r3t5v", Name: "shots-1:8080", Roles: []string{"api", "render", "deliver"}, Version: "v1.4.0",
		Since: s.at(0), LastSeen: s.at(3), Pages: 5, Running: 2, AheadMS: 3, Leads: true,
	}
}

func (s samples) usage() savepage.Usage {
	month := s.at(0).Truncate(24 * time.Hour)
	return savepage.Usage{
		Account: sampleAccount, From: month, Until: month.AddDate(0, 1, 0), CapturesPerMonth: savepage.UseOf(10_000, 1204),
		RequestsPerMinute: savepage.UseOf(120, 1), Pending: savepage.UseOf(1000, 4), PendingBytes: savepage.UseOf(256<<20, 8192),
		Pages: savepage.UseOf(0, 2),
	}
}

func (s samples) history() savepage.UsageHistory {
	from := s.at(0).Truncate(24 * time.Hour)
	past := savepage.UsageHistory{
		Account: sampleAccount, Span: savepage.HistoryWeek, From: from.AddDate(0, 0, -6), Until: from.AddDate(0, 0, 1), StepSeconds: 86_400,
		Total: savepage.UsagePoint{At: from.AddDate(0, 0, -6), RenderMSP50: new(int64(910)), RenderMSP95: new(int64(3200))},
	}
	for day := range int64(7) {
		p := savepage.UsagePoint{
			At: past.From.AddDate(0, 0, int(day)), Success: 150 + day, Shared: 20, Failed: 2, Bytes: (150 + day) * 200_000, Delivered: 170 + day,
			RenderMSP50: new(900 + 10*day), RenderMSP95: new(3000 + 100*day),
		}
		past.Points = append(past.Points, p)
		t := &past.Total
		t.Success, t.Shared, t.Failed = t.Success+p.Success, t.Shared+p.Shared, t.Failed+p.Failed
		t.Bytes, t.Delivered = t.Bytes+p.Bytes, t.Delivered+p.Delivered
	}
	return past
}

// problem is the example of an answer with a status: its first code.
func (s samples) problem(status int) any {
	for _, row := range savepage.Codes() {
		if row.Status != status {
			continue
		}
		p := problemOf(savepage.Errorf(row.Code, "%s", row.Manual), status)
		p.Type, p.RequestID = s.links.PublicURL+"/docs#"+string(row.Code), "req_01jd8x6v3m2k9q4t"
		if row.Code == savepage.CodeInvalidRequest {
			p.Detail = "body.width: must be from 320 to 3840"
			p.Errors = []savepage.FieldError{{Location: "body.width", Message: "must be from 320 to 3840", Value: 12}}
		}
		return p
	}
	return nil
}

// requests are the examples of bodies by the name of their schema, with their titles.
func (s samples) requests(schema string) map[string]*huma.Example {
	one := func(value map[string]any) map[string]*huma.Example {
		return map[string]*huma.Example{"usual": {Summary: "Usual", Value: value}}
	}
	switch schema {
	case "Options":
		return map[string]*huma.Example{
			"fullpage": {Summary: "A full page", Value: map[string]any{
				"url": samplePage, "fullpage": true, "format": "webp", "block_cookie_banners": true,
			}},
			"pdf":   {Summary: "A pdf", Value: map[string]any{"url": samplePage, "format": "pdf", "pdf_paper": "a4", "pdf_margin": "15mm"}},
			"html":  {Summary: "A document", Value: map[string]any{"html": "<h1>Hello</h1>", "width": 800, "height": 600}},
			"later": {Summary: "Answer at once, callback later", Value: map[string]any{"url": samplePage, "callback_url": sampleHook}},
		}
	case "BatchBody":
		return one(map[string]any{
			"urls":    []string{"https://example.com/", samplePage},
			"options": map[string]any{"fullpage": true, "format": "webp"}, "batch_callback_url": sampleHook,
		})
	case "Rotation":
		return one(map[string]any{"overlap": 86_400})
	case "TestEvent":
		return one(map[string]any{"url": sampleHook})
	case "RedeliveryBody":
		return map[string]*huma.Example{
			"since": {Summary: "What died since a time", Value: map[string]any{"since": "2026-04-01T12:00:00Z"}},
			"count": {Summary: "How many of a capture", Value: map[string]any{"capture_id": sampleCapture, "state": "ended", "count_only": true}},
		}
	case "InboxChange":
		return one(map[string]any{"answer": "500"})
	case "StoreBody":
		return one(map[string]any{
			"endpoint": s.store().Endpoint, "bucket": s.store().Bucket, "prefix": s.store().Prefix,
			"access_key_id": "ACCESS_KEY_ID", "secret_access_key": "SECRET_ACCESS_KEY",
		})
	case "AccountBody":
		return one(map[string]any{"name": "Shop", "limits": map[string]any{savepage.LimitTable()[0].Name: 120}})
	case "KeyBody":
		return one(map[string]any{"name": "shop", "scopes": []string{"capture", "read"}})
	}
	return nil
}

// parameter is the example of a path's or a query's parameter, or nil.
func (samples) parameter(op *huma.Operation, name string) any {
	if name == "name" && op.Tags[0] == tagStores {
		return sampleStore
	}
	if name == "id" {
		if op.OperationID == "removeLinkSecret" {
			return sampleLink
		}
		return map[string]any{
			tagCaptures: sampleCapture, tagBatches: sampleBatch, tagDeliveries: sampleDelivery, tagAccounts: sampleAccount,
			tagInbox: sampleEvent,
		}[op.Tags[0]]
	}
	return map[string]any{
		"capture_id": sampleCapture, "key": sampleKey, "name": samplePicture, "url": samplePage, "batch_id": sampleBatch,
		"Idempotency-Key": "order-17", "Prefer": "respond-async", "exp": 1_775_044_800,
		"sig": sampleLink + ".7d38cdd689735b008b3c702edd92eea23791c5f6d4d3f0e1a2b3c4d5e6f70819",
	}[name]
}

// fill adds the examples to an operation. bodies are the types of its JSON answers by status.
func (s samples) fill(op *huma.Operation, bodies map[int]reflect.Type) {
	answers := s.answers()
	for status, body := range bodies {
		op.Responses[strconv.Itoa(status)].Content["application/json"].Example = answers[body]
	}
	for _, status := range op.Errors {
		op.Responses[strconv.Itoa(status)].Content["application/problem+json"].Example = s.problem(status)
	}
	for _, p := range op.Parameters {
		if p.Example == nil {
			p.Example = s.parameter(op, p.Name)
		}
	}
	s.fillBody(op.RequestBody)
}

// event adds the example of a callback.
func (s samples) event(item *huma.PathItem) *huma.PathItem {
	body := item.Post.RequestBody.Content["application/json"]
	body.Example = s.view()
	if item.Post.OperationID == "batchEnded" {
		body.Example = s.answers()[reflect.TypeFor[capture.BatchEvent]()]
	}
	return item
}

func (s samples) fillBody(body *huma.RequestBody) {
	if body == nil {
		return
	}
	for _, media := range body.Content {
		if media.Schema != nil && media.Schema.Ref != "" && media.Example == nil {
			media.Examples = s.requests(media.Schema.Ref[len("#/components/schemas/"):])
		}
	}
}
