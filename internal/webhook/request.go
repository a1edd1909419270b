package webhook

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// Headers by which receivers of other services know where an event comes from.
const (
	headerUrlbox        = "X-Urlbox-Signature"        // t=SECONDS,sha256=HEX of "SECONDS.body"
	headerScreenshotOne = "X-Screenshotone-Signature" // hex of the body
)

// slowest is how fast a receiver must take a picture: bytes in each second beyond the timeout.
const slowest = 1 << 20

// body is what is sent. It is read once to be signed and once to be sent, and again if the transport repeats the request.
type body struct {
	open      func(ctx context.Context) (io.ReadCloser, error)
	size      int64
	mediaType string
	name      string // of the file; empty: it is none
}

// bodyOf is the event of a delivery, or its picture.
func (s *Sender) bodyOf(d savepage.Delivery) body {
	if d.Picture == nil {
		return body{
			open:      func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(d.Body)), nil },
			size:      int64(len(d.Body)),
			mediaType: "application/json",
		}
	}
	return body{
		open: func(ctx context.Context) (io.ReadCloser, error) {
			if s.cfg.Pictures == nil {
				return nil, errors.New("the picture cannot be read here")
			}
			return s.cfg.Pictures(ctx, d.Picture.Name)
		},
		size:      d.Picture.Size,
		mediaType: d.Picture.Format.MediaType(),
		name:      cmp.Or(d.Filename, d.CaptureID) + "." + d.Picture.Format.Extension(),
	}
}

// allowance is the time that an attempt may take beyond the timeout: a picture can be large.
func (b body) allowance() time.Duration {
	if b.name == "" {
		return 0
	}
	return time.Duration(b.size/slowest) * time.Second
}

func newRequest(ctx context.Context, address string, d savepage.Delivery, b body) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, cmp.Or(d.Method, http.MethodPost), address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	request.ContentLength = b.size
	request.GetBody = func() (io.ReadCloser, error) { return b.open(ctx) }
	for name, value := range d.Headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", b.mediaType)
	if b.name != "" {
		request.Header.Set("Content-Disposition", `attachment; filename="`+b.name+`"`)
	}
	request.Header.Set("User-Agent", "SavePage-Webhook/1")
	// Empty, it is not sent; with it the transport knows that a connection which the receiver closed while it was idle may be
	// replaced. The webhook-id lets the receiver see a repetition.
	request.Header["Idempotency-Key"] = []string{}
	return request, nil
}

// signed signs what is sent and opens it for the transport.
func signed(request *http.Request, d savepage.Delivery, secrets []string, at time.Time) error {
	content, err := request.GetBody()
	if err == nil {
		err = sign(request.Header, d, secrets, at, content)
		_ = content.Close() // it was only read
	}
	if err != nil {
		return err
	}
	request.Body, err = request.GetBody()
	return err
}

// sign sets the headers that prove where what is sent comes from. Each secret, newest first, has its entry in
// webhook-signature; X-Signature, and what other services' receivers check, have room for one only.
func sign(header http.Header, d savepage.Delivery, secrets []string, at time.Time, content io.Reader) error {
	if len(secrets) == 0 {
		return errors.New("sign the event: no secret")
	}
	signers := make([]*savepage.Signer, len(secrets))
	writers := make([]io.Writer, len(secrets))
	for i, secret := range secrets {
		var err error
		if signers[i], err = savepage.NewSigner(secret, d.ID, at); err != nil {
			return fmt.Errorf("sign the event: %w", err)
		}
		writers[i] = signers[i]
	}
	if _, err := io.Copy(io.MultiWriter(writers...), content); err != nil {
		return fmt.Errorf("read what is to be sent: %w", err)
	}
	signatures := make([]string, len(secrets))
	for i, one := range signers {
		signatures[i] = one.Standard()
	}
	seconds := strconv.FormatInt(at.Unix(), 10)
	header.Set(savepage.HeaderSignature, signers[0].Signature())
	header.Set(savepage.HeaderWebhookID, d.ID)
	header.Set(savepage.HeaderWebhookTimestamp, seconds)
	header.Set(savepage.HeaderWebhookSignature, strings.Join(signatures, " "))
	switch d.Format {
	case savepage.CallbackScreenshotOne, savepage.CallbackScreenshotOneJSON:
		header.Set(headerScreenshotOne, signers[0].Signature())
	case savepage.CallbackUrlbox:
		header.Set(headerUrlbox, "t="+seconds+",sha256="+savepage.Sign(secrets[0], []byte(seconds+"."+string(d.Body))))
	default:
	}
	return nil
}
