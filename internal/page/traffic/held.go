package traffic

import (
	"regexp"
	"strings"
	"time"
)

// What a server may hold open on purpose, to answer when it has something to tell.
const (
	// holdAfter is for how long a request brings nothing that may be one of these, until it is one: the same was answered before,
	// or something like it, or its name says so.
	holdAfter, holdLike, holdNamed = time.Second, 2 * time.Second, 2500 * time.Millisecond
	// streamIdle is how long a stream brings nothing, and streamTime how long it lasts, until the page has what it needs of it.
	streamIdle = 500 * time.Millisecond
	streamTime = 2 * time.Second
	// bodyIdle is how long an answer of no given length brings nothing until it counts as a stream.
	bodyIdle = 2 * time.Second
)

// polls matches the parts of an address that say that the server may take its time; pollName the names of functions that do.
//
//nolint:gochecknoglobals // they do not change
var (
	polls = regexp.MustCompile(`(?i)(^|[/?&=_.-])(long[_-]?poll(ing)?|poll(ing)?|comet[a-z]*|hanging[_-]?get)([/?&=_.-]|$)` +
		`|[?&](wait|timeout|hold)=\d`)
	pollName = regexp.MustCompile(`(^|[^A-Za-z])[pP]oll(ing)?([^a-z]|$)|[a-z]Poll(ing)?([^a-z]|$)`)
)

// initiator is who has made a request.
type initiator struct {
	Stack struct {
		Frames []struct {
			Function string `json:"functionName"`
		} `json:"callFrames"`
	} `json:"stack"`
}

// polls reports whether a function is called so that asks again and again.
func (i initiator) polls() bool {
	for n, f := range i.Stack.Frames {
		if n < maxFrames && pollName.MatchString(f.Function[:min(len(f.Function), maxName)]) {
			return true
		}
	}
	return false
}

// What is looked at of a stack.
const (
	maxFrames = 20
	maxName   = 100 // bytes of a function's name
)

// streams reports a kind of answer that is made to go on.
func streams(mime string) bool {
	mime = strings.ToLower(mime)
	for _, part := range []string{"event-stream", "ndjson", "jsonl", "json-seq", "stream+json", "x-mixed-replace", "grpc"} {
		if strings.Contains(mime, part) {
			return true
		}
	}
	return false
}

// request is one that has begun and not ended.
type request struct {
	url     string
	kind    string
	begun   time.Time
	moved   time.Time // something came of it last
	head    time.Time // its answer began; zero before
	main    bool      // for a document of the main frame
	own     bool      // of the main frame
	frame   string    // id of the one that asks
	loader  string    // id of the document that asks, or that is asked for; empty for a worker's
	lasting bool      // no picture depends on it
	poll    bool      // asked for again and again
	held    bool      // its address, or who asks, says that its server may hold it open
	stream  bool      // its answer is made to go on
	text    bool      // its answer is one without a given length that may be used part by part
	endless bool      // its answer may be: it is such a text, and something of it has come
	given   bool      // given up
	at      *server
	of      *series // nil for what is not a script's
	among   *series // the same, of its endpoint
}

// scripted reports a request that a script makes and gets the answer of.
func scripted(kind string) bool { return kind == "XHR" || kind == "Fetch" }

// server is one that the page asks.
type server struct {
	moved time.Time // something came of it last
}

// waits reports whether settling waits for the request: it is wanted, and something has come of it, or of its server, in the
// time of stall. Requests to one server may have to wait for one another.
func (q *request) waits(now time.Time, stall time.Duration, loading bool) bool {
	if loading {
		stall *= 2
	}
	if !q.wanted(now, loading) {
		return false
	}
	return now.Sub(q.moved) < stall || q.at != nil && now.Sub(q.at.moved) < stall
}

// wanted reports whether the picture may lack something without the request. loading says that the page shows that it waits
// for something.
func (q *request) wanted(now time.Time, loading bool) bool {
	silent := now.Sub(q.moved)
	switch {
	case q.lasting, q.poll, q.of.told():
		return false
	case q.stream:
		return silent < streamIdle && now.Sub(q.head) < streamTime
	case loading:
		return true
	case q.endless:
		return silent < bodyIdle
	case q.head.IsZero():
		return !q.isHeld(silent)
	default:
		return true
	}
}

// isHeld reports whether the request has brought nothing for as long as one does that is held open.
func (q *request) isHeld(silent time.Duration) bool {
	return q.held && silent >= holdNamed || q.of.holds(silent, holdAfter) || q.among.holds(silent, holdLike)
}

// answerBegins notes what the beginning of its answer says of the rest.
func (q *request) answerBegins(now time.Time, mime string, headers map[string]string) {
	q.head = now
	if !scripted(q.kind) {
		return
	}
	q.stream = streams(mime)
	for name := range headers {
		if strings.EqualFold(name, "Content-Length") {
			return
		}
	}
	q.text = !strings.Contains(mime, "json") && !strings.Contains(mime, "xml") && !strings.Contains(mime, "script")
}

// brings notes that a part of its answer has come.
func (q *request) brings() { q.endless = q.text }

// ends notes that the request has ended.
func (q *request) ends(now time.Time) {
	q.of.answer(q.begun, now)
	q.among.answer(q.begun, now)
}

// silent reports a film or a sound of which nothing has come: until then the load event waits for it.
func (q *request) silent() bool { return q.kind == "Media" && q.head.IsZero() }
