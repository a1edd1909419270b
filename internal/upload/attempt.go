package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"regexp"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/outbound"
)

// result is the outcome of one attempt.
type result struct {
	attempt savepage.Attempt // without number and times
	refused bool             // the bucket answers and refuses: trying often will not help
	final   bool             // trying again cannot help
	ours    error            // why nothing was sent, if that is the service's own fault
}

// attempt puts the picture once.
func (u *Uploader) attempt(ctx context.Context, d savepage.Delivery) result {
	if d.Upload == nil {
		return final("The account has no store " + d.Store + " any more.")
	}
	if d.Picture == nil {
		return final("The capture has no picture.")
	}
	o := object{
		key: d.Upload.Key, mark: d.CaptureID, overwrite: d.Upload.Overwrite, size: d.Picture.Size, mediaType: d.Picture.Format.MediaType(),
	}
	limit := u.cfg.limit(o.size)
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	picture, err := u.cfg.Pictures(limited, d.Picture.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return final("The picture was removed from the service before it could be put there.")
	}
	if err != nil {
		return result{ours: err}
	}
	defer func() { _ = picture.Close() }() // it was only read
	from := &source{of: picture}
	b, err := u.open(d.Upload.Store)
	if err == nil {
		err = b.put(b.traced(limited), o, from)
	}
	if from.err != nil {
		return result{ours: from.err}
	}
	if err == nil {
		return result{attempt: savepage.Attempt{Outcome: savepage.AttemptDelivered, Status: http.StatusOK}}
	}
	return b.failed(err, limit)
}

func final(why string) result {
	return result{attempt: savepage.Attempt{Outcome: savepage.AttemptRefused, Error: why}, final: true}
}

// source is a picture that is read. It remembers why it could not be.
type source struct {
	of  io.ReadSeeker
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.of.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// seek sets where the next byte is read from.
func (s *source) seek(offset int64) error {
	if _, err := s.of.Seek(offset, io.SeekStart); err != nil {
		s.err = err
		return err
	}
	return nil
}

// errExists says that another object has the key.
var errExists = errors.New("an object with this key exists")

// failed judges an attempt that has not put the picture.
func (b *bucket) failed(err error, limit time.Duration) result {
	if errors.Is(err, errExists) {
		return result{final: true, attempt: savepage.Attempt{
			Outcome: savepage.AttemptStatus, Status: http.StatusPreconditionFailed,
			Error: fmt.Sprintf("The bucket %s has another object with the key %s. Give a key with {id}, or overwrite.", b.store.Bucket, b.last),
		}}
	}
	answer := minio.ToErrorResponse(err)
	if answer.StatusCode == 0 {
		r := result{}
		r.attempt.Outcome, r.attempt.Error = outbound.Failure(b.at, err)
		if r.attempt.Outcome == savepage.AttemptTimeout {
			r.attempt.Error = b.awaited(limit)
		}
		r.final = r.attempt.Outcome == savepage.AttemptBlocked
		return r
	}
	return result{
		attempt: savepage.Attempt{Outcome: savepage.AttemptStatus, Status: answer.StatusCode, Error: b.answered(answer)},
		refused: refuses(answer.StatusCode),
	}
}

// refuses reports whether a status is about what was asked, and not about the moment.
func refuses(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	default:
		return status < http.StatusInternalServerError
	}
}

// awaited says what a timeout has ended.
func (b *bucket) awaited(limit time.Duration) string {
	switch b.progress.Stage() {
	case outbound.Sent:
		return fmt.Sprintf("The bucket %s at %s did not answer within %s.", b.store.Bucket, b.at.Host, limit)
	case outbound.Connected:
		return fmt.Sprintf("The bucket %s at %s did not take the picture within %s.", b.store.Bucket, b.at.Host, limit)
	default:
		return fmt.Sprintf("No connection to %s within %s.", b.at.Host, min(limit, outbound.ConnectTimeout))
	}
}

// errorCode is what the codes of S3 look like.
var errorCode = regexp.MustCompile(`^[A-Za-z0-9.]{1,64}$`)

// answered says what the service answered, and what to do about it. The answer of an internal host is not for clients, who may
// only name its address.
func (b *bucket) answered(answer minio.ErrorResponse) string {
	text := fmt.Sprintf("The bucket %s at %s answered %d", b.store.Bucket, b.at.Host, answer.StatusCode)
	if name := http.StatusText(answer.StatusCode); name != "" {
		text += " " + name
	}
	if errorCode.MatchString(answer.Code) {
		text += ", " + answer.Code
		if message := plain(answer.Message); message != "" && !b.progress.Private() {
			text += ": " + message
		}
	}
	text = full(text)
	if advice := b.advice(answer); advice != "" {
		text += " " + advice
	}
	return text
}

// advice says what to change.
func (b *bucket) advice(answer minio.ErrorResponse) string {
	switch answer.Code {
	case minio.NoSuchBucket:
		return "Make the bucket, or set another one or another endpoint."
	case minio.AccessDenied, "AllAccessDisabled":
		return "The key needs the permission s3:PutObject for the bucket and its prefix."
	case minio.InvalidAccessKeyID, minio.SignatureDoesNotMatch, "InvalidToken":
		return "Set access_key_id and secret_access_key anew."
	case minio.AuthorizationHeaderMalformed, minio.InvalidRegion:
		if errorCode.MatchString(answer.Region) || regionLike.MatchString(answer.Region) {
			return "Set the region " + answer.Region + "."
		}
		return "Set the bucket's region."
	case "RequestTimeTooSkewed":
		return "The clock of the service or of the bucket is wrong."
	}
	if answer.StatusCode >= 300 && answer.StatusCode < 400 {
		return "Redirects are not followed: set the endpoint and the region that the bucket has."
	}
	return ""
}

var regionLike = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// plain is a message of a service, short and on one line.
func plain(message string) string {
	const most = 300
	clean := make([]rune, 0, most)
	for _, r := range message {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			r = ' '
		}
		if clean = append(clean, r); len(clean) == most {
			return string(clean) + "…"
		}
	}
	return string(clean)
}

// full ends a sentence.
func full(text string) string {
	if text[len(text)-1] == '.' {
		return text
	}
	return text + "."
}
