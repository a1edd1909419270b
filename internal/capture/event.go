package capture

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// Links says what the links in answers and callbacks begin with.
type Links struct {
	PublicURL string // of the API, without a slash at the end
	CDNURL    string // of the pictures, without a slash at the end; empty: PublicURL
}

// Status returns the address under which a capture can be looked up.
func (l Links) Status(id string) string {
	return strings.TrimSuffix(l.PublicURL, "/") + "/v1/captures/" + id
}

// Batch returns the address under which a batch can be looked up.
func (l Links) Batch(id string) string {
	return strings.TrimSuffix(l.PublicURL, "/") + "/v1/batches/" + id
}

// Image returns the address of a stored picture.
func (l Links) Image(name string) string {
	base := l.CDNURL
	if base == "" {
		base = l.PublicURL
	}
	return strings.TrimSuffix(base, "/") + "/captures/" + name
}

// View is a capture as clients see it: the answer of a synchronous request, of a look-up, and the body of a callback.
// What a success has every state has, with null where there is nothing: a receiver that was written for successes finds the
// same fields in a failure. Fields that only one state has are left out of the others.
type View struct {
	Status     savepage.State    `json:"status" enum:"queued,running,success,failed,canceled" doc:"State; the last three are final."`
	CaptureID  string            `json:"capture_id" doc:"Id of the capture." example:"cap_01jd8x6v3m2k9q4t7w5z0a1b2c"`
	BatchID    string            `json:"batch_id,omitempty" doc:"Id of its batch, if it has one."`
	URL        string            `json:"url,omitempty" doc:"The requested page; absent with the option html."`
	Image      *string           `json:"image" doc:"URL of the picture. It needs no key. Null without a picture."`
	Width      *int              `json:"width" doc:"Pixels of the picture, or null; of a pdf points (1/72 inch) of its first page."`
	Height     *int              `json:"height" doc:"Height, as width."`
	Format     *savepage.Format  `json:"format" doc:"File format of the picture. Null without a picture."`
	Size       *int64            `json:"size" doc:"Bytes of the picture. Null without a picture."`
	Stored     *savepage.Stored  `json:"stored,omitempty" doc:"Where the picture is in the bucket of the option store."`
	Fullpage   bool              `json:"fullpage" doc:"Whether the whole page was requested."`
	CapturedAt *string           `json:"captured_at" format:"date-time" doc:"When the picture was taken: UTC, whole seconds, or null."`
	Cached     bool              `json:"cached,omitempty" doc:"True if the picture was taken for an earlier capture; see cache_ttl."`
	Error      *savepage.Error   `json:"error,omitempty" doc:"Why the capture failed. Only of a failed one."`
	FailedAt   string            `json:"failed_at,omitempty" format:"date-time" doc:"When the capture failed."`
	CanceledAt string            `json:"canceled_at,omitempty" format:"date-time" doc:"When the capture was canceled."`
	Timing     *savepage.Timing  `json:"timing" doc:"Milliseconds that the parts of the capture took. Null where it was not rendered."`
	Report     *savepage.Report  `json:"report" doc:"What may be missing from the picture. Null where the page did not load."`
	Metadata   savepage.Metadata `json:"metadata,omitempty" doc:"The metadata of the request."`

	ImageBase64 []byte `json:"image_base64,omitempty" doc:"The picture itself, where inline asked for it and allows its size."`
}

// NewView returns what clients may see of c.
func NewView(c savepage.Capture, links Links) View {
	v := View{
		Status: c.State, CaptureID: c.ID, BatchID: c.BatchID, URL: c.Options.URL, Fullpage: c.Options.Fullpage, Report: c.Report,
		Metadata: c.Options.Metadata,
	}
	ended := c.FinishedAt.UTC().Format(time.RFC3339)
	switch c.State {
	case savepage.Success:
		v.Timing, v.Cached, v.CapturedAt = &c.Timing, c.Source != "", &ended
		if !c.CapturedAt.IsZero() {
			v.CapturedAt = new(c.CapturedAt.UTC().Format(time.RFC3339))
		}
		v.Stored = c.Stored
		v.show(c.Picture, links)
	case savepage.Failed:
		v.show(c.Picture, links) // that its store did not take
		v.Error, v.FailedAt = c.Error, ended
		if c.Timing != (savepage.Timing{}) {
			v.Timing = &c.Timing
		}
	case savepage.Canceled:
		v.CanceledAt = ended
	default: // not ended: there is nothing more to tell
	}
	return v
}

// show tells of a picture, if there is one.
func (v *View) show(p *savepage.Picture, links Links) {
	if p != nil {
		v.Image, v.Width, v.Height, v.Format, v.Size = new(links.Image(p.Name)), &p.Width, &p.Height, &p.Format, &p.Size
	}
}

// Event is the JSON of an ended capture: the body of its callback, byte for byte what a synchronous answer says.
func Event(c savepage.Capture, links Links) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // addresses stay readable
	if err := enc.Encode(NewView(c, links)); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}
