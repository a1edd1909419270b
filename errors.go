package savepage

import (
	"fmt"
	"net/http"
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
	CodeBlank               Code = "blank"
	CodeRequestFailed       Code = "request_failed"
	CodePageCrashed         Code = "page_crashed"
	CodeBrowserLost         Code = "browser_lost"
	CodeTooManyRedirects    Code = "too_many_redirects"
	CodeNotAPage            Code = "not_a_page"
	CodeQueueFull           Code = "queue_full"
	CodeShuttingDown        Code = "shutting_down"
	CodeRenderTimeout       Code = "render_timeout"
	CodeInternal            Code = "internal_error"
)

// CodeInfo is what the manual and the answers say of a code.
type CodeInfo struct {
	Code    Code
	Status  int    // HTTP status of an answer that carries it
	Retried bool   // whether the service tried again by itself before it gave up
	Manual  string // one line: what it means and what to do
}

// Codes returns the table of all codes, in the order of the manual. The table is the only source: status, retry and text
// are never decided elsewhere.
func Codes() []CodeInfo {
	return []CodeInfo{
		{CodeInvalidRequest, http.StatusBadRequest, false, "The request is wrong; errors names each field, its value and the range."},
		{CodeUnauthorized, http.StatusUnauthorized, false, "No key, or not a valid one. Send Authorization: Bearer KEY."},
		{CodeForbidden, http.StatusForbidden, false, "The key may not do this."},
		{CodeNotFound, http.StatusNotFound, false, "There is nothing under this address, or it belongs to another account."},
		{CodeMethodNotAllowed, http.StatusMethodNotAllowed, false, "The address exists, with another method; see Allow."},
		{CodeConflict, http.StatusConflict, false, "The capture is in a state that does not allow this."},
		{CodeIdempotencyMismatch, http.StatusUnprocessableEntity, false, "The Idempotency-Key was used with another body. Use a new one."},
		{CodeTooLarge, http.StatusRequestEntityTooLarge, false, "The request body, or the picture asked for, is larger than allowed. For a picture set max_height, scale or another format."},
		{CodeUnsupportedMedia, http.StatusUnsupportedMediaType, false, "Send application/json or a form."},
		{CodeRateLimited, http.StatusTooManyRequests, false, "Too many requests; wait as long as Retry-After says."},
		{CodeQuotaExceeded, http.StatusTooManyRequests, false, "The account's quota is used up."},
		{CodeTooManyPending, http.StatusTooManyRequests, false, "The account has too many captures waiting."},
		{CodeNameNotResolved, http.StatusBadGateway, false, "The page's host name has no address."},
		{CodeConnectionFailed, http.StatusBadGateway, false, "The page's server refused, closed or broke the connection."},
		{CodeTLSError, http.StatusBadGateway, false, "The page's certificate is not valid."},
		{CodeNavigationTimeout, http.StatusBadGateway, false, "The page's server did not answer within the timeout."},
		{CodeAddressBlocked, http.StatusBadRequest, false, "The address is private or special and the operator did not allow it."},
		{CodeHTTPError, http.StatusBadGateway, false, "The page answered with a status that the request does not accept."},
		{CodeSelectorNotFound, http.StatusBadGateway, false, "No visible element matched the selector in time."},
		{CodeBlank, http.StatusBadGateway, false, "The picture has one colour only."},
		{CodeRequestFailed, http.StatusBadGateway, false, "A request of the page failed, and fail_on says that none may; the message names the first."},
		{CodePageCrashed, http.StatusBadGateway, true, "The page ended its renderer each time it was tried, mostly by using too much memory."},
		{CodeBrowserLost, http.StatusBadGateway, true, "The browser ended while it rendered the page, each time it was tried."},
		{CodeTooManyRedirects, http.StatusBadGateway, false, "The page redirects without an end."},
		{CodeNotAPage, http.StatusBadGateway, false, "The address answers with a download or nothing, not with a page."},
		{CodeQueueFull, http.StatusServiceUnavailable, false, "Too many captures are waiting; try again after Retry-After."},
		{CodeShuttingDown, http.StatusServiceUnavailable, false, "The server is stopping; try again."},
		{CodeRenderTimeout, http.StatusGatewayTimeout, false, "The picture was not done within timeout; the message says what was awaited."},
		{CodeInternal, http.StatusInternalServerError, true, "The fault is ours; the request id finds it in the log."},
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
// 500 for a fault of ours, 400 for options that only the browser could judge, 502 for everything that lies with the page.
func (c Code) CaptureStatus() int {
	switch c {
	case CodeRenderTimeout:
		return http.StatusGatewayTimeout
	case CodeInternal:
		return http.StatusInternalServerError
	case CodeInvalidRequest:
		return http.StatusBadRequest
	default:
		return http.StatusBadGateway
	}
}

// Error is what a client may see of a fault: a stable code and a sentence. Causes stay in the log.
type Error struct {
	Code    Code         `json:"code"`
	Message string       `json:"message"`
	Fields  []FieldError `json:"-"` // of CodeInvalidRequest: every wrong field
}

// FieldError names one wrong field of a request.
type FieldError struct {
	Location string `json:"location"` // "body.width", "query.width"
	Message  string `json:"message"`  // "must be from 320 to 3840"
	Value    any    `json:"value,omitempty"`
}

// Errorf makes an Error of a code and a sentence.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Error returns "code: message".
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }
