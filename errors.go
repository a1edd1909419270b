package savepage

import (
	"fmt"
	"net/http"
	"time"
)

// Code is a stable name for what went wrong. Codes are part of the API: they are never renamed.
type Code string

// The codes of the API. The table codes says what each means.
const (
	CodeInvalidRequest      Code = "invalid_request"
	CodeUnauthorized        Code = "unauthorized"
	CodeForbidden           Code = "forbidden"
	CodeNotFound            Code = "not_found"
	CodeMethodNotAllowed    Code = "method_not_allowed"
	CodeMisdirected         Code = "misdirected_request"
	CodeConflict            Code = "conflict"
	CodeIdempotencyMismatch Code = "idempotency_mismatch"
	CodeTooLarge            Code = "too_large"
	CodeUnsupportedMedia    Code = "unsupported_media_type"
	CodeRateLimited         Code = "rate_limited"
	CodeQuotaExceeded       Code = "quota_exceeded"
	CodeTooManyPending      Code = "too_many_pending"
	CodeNameNotResolved     Code = "name_not_resolved"
	CodeConnectionFailed    Code = "connection_failed"
	CodeTLSError            Code = "tls_error"
	CodeNavigationTimeout   Code = "navigation_timeout"
	CodeAddressBlocked      Code = "address_blocked"
	CodeHTTPError           Code = "http_error"
	CodeSelectorNotFound    Code = "selector_not_found"
	CodeStepFailed          Code = "step_failed"
	CodeTextMissing         Code = "text_missing"
	CodeTextFound           Code = "text_found"
	CodeWall                Code = "wall"
	CodeBlank               Code = "blank"
	CodeRequestFailed       Code = "request_failed"
	CodePageCrashed         Code = "page_crashed"
	CodeBrowserLost         Code = "browser_lost"
	CodeTooManyRedirects    Code = "too_many_redirects"
	CodeNotAPage            Code = "not_a_page"
	CodeQueueFull           Code = "queue_full"
	CodeShuttingDown        Code = "shutting_down"
	CodeStorageUnavailable  Code = "storage_unavailable"
	CodeServiceFault        Code = "service_fault"
	CodeStoreFailed         Code = "store_failed"
	CodeRenderTimeout       Code = "render_timeout"
	CodeInternal            Code = "internal_error"
)

// CodeInfo is a row of the table of codes.
type CodeInfo struct {
	Code    Code
	Status  int    // HTTP status of an answer that carries it
	Retried bool   // whether the service retried before it gave up
	Manual  string // one line: what it means and what to do
}

// Codes returns the table of all codes, in the order of the manual. It is the only source of status, retry and text.
func Codes() []CodeInfo { return append(requestCodes(), captureCodes()...) }

// requestCodes are those of requests that are refused.
func requestCodes() []CodeInfo {
	return []CodeInfo{
		{CodeInvalidRequest, http.StatusBadRequest, false, "The request is invalid. errors names each field, its value and the allowed range."},
		{CodeUnauthorized, http.StatusUnauthorized, false, "The key is missing or not valid. Send Authorization: Bearer KEY."},
		{CodeForbidden, http.StatusForbidden, false, "The key does not have the scope that this request needs; the message names it."},
		{CodeNotFound, http.StatusNotFound, false, "The resource does not exist, or belongs to another account."},
		{CodeMethodNotAllowed, http.StatusMethodNotAllowed, false, "The path does not support this method. Allow lists those that it supports."},
		{
			CodeMisdirected, http.StatusMisdirectedRequest, false,
			"The server does not answer to the host that the request names. The operator sets SAVEPAGE_PUBLIC_URL or SAVEPAGE_ALLOWED_HOSTS.",
		},
		{CodeConflict, http.StatusConflict, false, "The current state of the resource does not allow this."},
		{
			CodeIdempotencyMismatch, http.StatusUnprocessableEntity, false,
			"The Idempotency-Key was used with a different body. Use a new one.",
		},
		{
			CodeTooLarge, http.StatusRequestEntityTooLarge, false,
			"The request body or the requested picture is too large. For a picture, set max_height, scale or another format.",
		},
		{CodeUnsupportedMedia, http.StatusUnsupportedMediaType, false, "Send application/json or a form."},
		{CodeRateLimited, http.StatusTooManyRequests, false, "Too many requests. Wait as long as Retry-After says."},
		{
			CodeQuotaExceeded, http.StatusTooManyRequests, false,
			"The account's captures of this month are used up. Retry-After says when the next month begins; GET /v1/usage shows what is used.",
		},
		{
			CodeTooManyPending, http.StatusTooManyRequests, false,
			"The captures of the account that have not ended, or their options in bytes, are as many as its limit allows.",
		},
	}
}

// captureCodes are those of captures, and of the server.
func captureCodes() []CodeInfo {
	return []CodeInfo{
		{CodeNameNotResolved, http.StatusBadGateway, false, "The host name of the page does not resolve."},
		{CodeConnectionFailed, http.StatusBadGateway, false, "The page's server refused, closed or broke the connection."},
		{CodeTLSError, http.StatusBadGateway, false, "The certificate of the page's server is not valid."},
		{CodeNavigationTimeout, http.StatusBadGateway, false, "The page's server did not answer within timeout."},
		{CodeAddressBlocked, http.StatusBadRequest, false, "The address is private or reserved, and the operator has not allowed it."},
		{
			CodeHTTPError, http.StatusBadGateway, false,
			"The page's server answered with an error status that fail_on lists, that has no page, or that asks for credentials.",
		},
		{CodeSelectorNotFound, http.StatusBadGateway, false, "No visible element matched the selector in time."},
		{
			CodeStepFailed, http.StatusBadGateway, false,
			"A step could not be done. The message names its index, its type, its element and why.",
		},
		{CodeTextMissing, http.StatusBadGateway, false, "The page does not show a text of require_text. The message names it."},
		{CodeTextFound, http.StatusBadGateway, false, "The page shows a text of fail_on_text. The message names it."},
		{
			CodeWall, http.StatusBadGateway, false,
			"Something stands in the place of the page, such as a captcha or a login, and fail_on lists it. The message names it.",
		},
		{CodeBlank, http.StatusBadGateway, false, "The picture has only one colour, and fail_on lists blank."},
		{
			CodeRequestFailed, http.StatusBadGateway, false,
			"A request of the page failed, and fail_on lists request_failed. The message names the first one.",
		},
		{
			CodePageCrashed, http.StatusBadGateway, true,
			"The page crashed the renderer, or its whole browser, on every attempt, usually by using too much memory.",
		},
		{CodeBrowserLost, http.StatusBadGateway, true, "The browser stopped while it rendered the page. The service tries again."},
		{CodeTooManyRedirects, http.StatusBadGateway, false, "The page redirects endlessly."},
		{CodeNotAPage, http.StatusBadGateway, false, "The URL returns a download or nothing instead of a page."},
		{
			CodeStoreFailed, http.StatusBadGateway, true,
			"The bucket of the option store did not take the picture. The message says why; the picture is in image.",
		},
		{CodeQueueFull, http.StatusServiceUnavailable, false, "Too many captures are waiting. Try again after Retry-After."},
		{CodeShuttingDown, http.StatusServiceUnavailable, false, "The server is shutting down. Try again."},
		{
			CodeStorageUnavailable, http.StatusServiceUnavailable, false,
			"The server cannot read or write its records now, and nothing was accepted. Try again after Retry-After.",
		},
		{
			CodeServiceFault, http.StatusServiceUnavailable, true,
			"A part of the service, such as its picture store or its browser, did not work for so long that the capture was given up. " +
				"The page is not the cause. The message names the part. Submit it again.",
		},
		{CodeRenderTimeout, http.StatusGatewayTimeout, false, "The picture was not finished within timeout. The message names what was awaited."},
		{CodeInternal, http.StatusInternalServerError, true, "An internal error. The request id identifies it in the server's log."},
	}
}

// Info returns the table's row for c. An unknown code gets the row of CodeInternal under its own name.
func (c Code) Info() CodeInfo {
	for _, row := range Codes() {
		if row.Code == c {
			return row
		}
	}
	return CodeInfo{Code: c, Status: http.StatusInternalServerError, Manual: "Unknown code."}
}

// CaptureStatus is the HTTP status of a synchronous answer whose capture ended with c: 504 for a timeout of the render,
// 503 for a fault of the service that lasted, 500 for an internal error, 400 for options that only the browser could check,
// 502 for every error of the page.
func (c Code) CaptureStatus() int {
	switch c {
	case CodeRenderTimeout:
		return http.StatusGatewayTimeout
	case CodeServiceFault:
		return http.StatusServiceUnavailable
	case CodeInternal:
		return http.StatusInternalServerError
	case CodeInvalidRequest:
		return http.StatusBadRequest
	default:
		return http.StatusBadGateway
	}
}

// Error is the part of an error that clients see: a stable code and a sentence. Causes are only logged.
type Error struct {
	Code    Code         `json:"code"`
	Message string       `json:"message"`
	Fields  []FieldError `json:"-"` // of CodeInvalidRequest: every wrong field
	// RetryAfter is after how long the same request may succeed; zero: the server's usual wait.
	RetryAfter time.Duration `json:"-"`
}

// FieldError names one wrong field of a request.
type FieldError struct {
	Location string `json:"location"` // "body.width", "query.width"
	Message  string `json:"message"`  // "must be from 320 to 3840"
	Value    any    `json:"value,omitempty"`
}

// String returns "location: message".
func (f FieldError) String() string { return f.Location + ": " + f.Message }

// Errorf makes an Error of a code and a sentence.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Error returns "code: message".
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Ours reports whether a capture that failed with c failed by a fault of the service, and not of its page or its client.
func (c Code) Ours() bool {
	return c == CodeInternal || c == CodeBrowserLost || c == CodeServiceFault
}
