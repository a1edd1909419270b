package traffic

import (
	"crypto/sha256"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage/internal/page/session"
)

// What tells a poll, which goes on for ever, from work, which ends.
const (
	// maxAsked is how often a script may ask for the same, with pauses, before it is taken for a poll.
	maxAsked = 3
	// atOnce is how soon after an answer a script asks again that works through something: a poll waits for a timer.
	atOnce = 50 * time.Millisecond
	// maxChained and chainTime bound such work: what goes on longer is a poll without pauses.
	maxChained = 30
	chainTime  = 5 * time.Second
	// together is how far apart questions may be that are asked in one go, and while how long they may be when none has
	// been answered yet.
	together = 100 * time.Millisecond
	while    = 500 * time.Millisecond
)

// series are the requests of scripts for one and the same thing.
type series struct {
	rounds int           // questions, those that are asked in one go as one
	open   int           // not answered yet
	began  time.Time     // the first
	round  time.Time     // the last round
	last   time.Time     // the last question
	ended  time.Time     // the last answer; zero before
	after  time.Time     // the last answer when the last question was asked, if nothing was open then
	took   time.Duration // the slowest answer
	polls  bool          // the last question was a poll's
	judged bool          // the page was looked at since then
}

// ask takes in one more question and reports whether it is a poll's. working says that the answers before have brought
// something, or that the page says that it still waits for something.
func (s *series) ask(now time.Time, working bool) (poll bool) {
	joins := s.rounds > 0 && (now.Sub(s.last) < together || s.open > 0 && now.Sub(s.round) < while)
	chained := !s.ended.IsZero() && s.open == 0 && now.Sub(s.ended) < atOnce
	if s.rounds == 0 {
		s.began = now
	}
	s.open++
	s.last, s.judged, s.after = now, false, time.Time{}
	if s.open == 1 {
		s.after = s.ended
	}
	if !joins || chained {
		s.rounds++
		s.round = now
	}
	switch {
	case s.rounds <= maxAsked, working:
		s.polls = false
	case chained:
		s.polls = s.rounds > maxChained || now.Sub(s.began) > chainTime
	default:
		s.polls = true
	}
	return s.polls
}

// judge reports whether the last question is a poll's, now that the page was looked at: what the first look shows to be work
// may have been so when it was asked.
func (s *series) judge(asked time.Time, working bool) (poll bool) {
	if working && !s.judged {
		s.polls = false
	}
	s.judged = s.judged || asked.After(s.last)
	return s.polls
}

// goesOn reports whether the last question came of the answer before, however late, because no timer has run in between: since
// timerless.
func (s *series) goesOn(timerless time.Time) bool {
	return !timerless.IsZero() && s.after.After(timerless) && s.rounds <= maxChained && s.last.Sub(s.began) <= chainTime
}

// told reports whether the questions that are open bring nothing new: they are a poll's, which has been answered before.
func (s *series) told() bool { return s != nil && s.polls && !s.ended.IsZero() }

// answer notes that a question has ended which was asked at a time.
func (s *series) answer(asked, now time.Time) {
	if s == nil {
		return
	}
	s.open--
	s.ended = now
	s.took = max(s.took, now.Sub(asked))
}

// holds reports whether a question that has brought nothing for so long is held open: the same has been asked and answered
// before, in far less time. It takes a while at least to tell.
func (s *series) holds(silent, least time.Duration) bool {
	return s != nil && !s.ended.IsZero() && s.rounds > 1 && silent >= max(least, 3*s.took)
}

// all are the series of a page, by a digest of what is asked for.
type all map[[sha256.Size]byte]*series

// of is the series of a question. There is none when there are too many.
func (a all) of(question string) *series {
	is := sha256.Sum256([]byte(question))
	known := a[is]
	if known == nil {
		if len(a) >= session.MaxTracked {
			return nil
		}
		known = &series{}
		a[is] = known
	}
	return known
}

// chance matches numbers that a script makes up so that no cache answers.
var chance = regexp.MustCompile(`\b0\.\d{6,}\b`) //nolint:gochecknoglobals // it does not change

// clockly matches numbers that may be times.
var clockly = regexp.MustCompile(`\d{13}|\d{10}`) //nolint:gochecknoglobals // it does not change

// maxPlain is how much of a question is looked at for what changes by itself, in bytes.
const maxPlain = 4 << 10

// plain is a question without what only makes it look like another: the time, in seconds or milliseconds, and chance.
func plain(question string, now time.Time) string {
	cut := min(len(question), maxPlain)
	looked, rest := chance.ReplaceAllString(question[:cut], "~"), question[cut:]
	looked = clockly.ReplaceAllStringFunc(looked, func(digits string) string {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return digits
		}
		at := time.Unix(n, 0)
		if len(digits) == 13 {
			at = time.UnixMilli(n)
		}
		if d := now.Sub(at); d > -24*time.Hour && d < 24*time.Hour {
			return "~"
		}
		return digits
	})
	return looked + rest
}

// endpoint is what a request asks, whatever marks it carries along: by them a server knows what it has told already.
func endpoint(method, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return method + " " + address
	}
	query := u.Query()
	for name, values := range query {
		for i, value := range values {
			if mark(value) {
				values[i] = "~"
			}
		}
		query[name] = values
	}
	u.RawQuery = query.Encode()
	return method + " " + u.String()
}

// mark reports a value that names nothing a reader would know: letters and digits mixed, or a long number.
func mark(value string) bool {
	digits, letters := 0, 0
	for _, c := range value {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			letters++
		case strings.ContainsRune("-_.~=+/:", c):
		default:
			return false
		}
	}
	return digits >= 9 || digits > 0 && letters > 0 && len(value) >= 4
}
