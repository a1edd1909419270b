package dash

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/httpd"
)

// Bounds of sessions.
const (
	sessionLasts = 30 * 24 * time.Hour
	onceLasts    = time.Hour
	maxOnce      = 16              // one-time links at once
	triesWithin  = 5 * time.Minute // in which somebody may be wrong maxTries times
	maxTries     = 10
	maxTriers    = 10_000 // addresses that are remembered
)

const cookieName = "savepage_session"

// errNoSession says that nobody is signed in.
var errNoSession = errors.New("nobody is signed in")

// session is somebody who is signed in.
type session struct {
	request *http.Request // what is asked for in it
	key     string
	who     savepage.Principal
}

// sessions keeps nothing but one-time links and wrong tries: a session is its cookie, in which the key is sealed.
type sessions struct {
	seal  cipher.AEAD
	clock *clock.Clock

	mu    sync.Mutex
	links map[string]link
	tries map[string]tries
}

type link struct {
	key   string
	until time.Time
}

type tries struct {
	count int
	since time.Time
}

// newSessions needs a secret of 32 bytes.
func newSessions(secret []byte, clock *clock.Clock) (*sessions, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("the secret of sessions: %w", err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("the secret of sessions: %w", err)
	}
	return &sessions{seal: seal, clock: clock, links: map[string]link{}, tries: map[string]tries{}}, nil
}

// begin signs in with a key that is valid.
func (s *sessions) begin(w http.ResponseWriter, r *http.Request, key string) {
	text := binary.BigEndian.AppendUint64(nil, uint64(s.clock.Now().Add(sessionLasts).Unix())) //nolint:gosec // after 1970
	nonce := make([]byte, s.seal.NonceSize(), s.seal.NonceSize()+len(text)+len(key)+s.seal.Overhead())
	_, _ = rand.Read(nonce) // it never fails
	sealed := s.seal.Seal(nonce, nonce, append(text, key...), []byte(cookieName))
	http.SetCookie(w, s.cookie(r, base64.RawURLEncoding.EncodeToString(sealed), int(sessionLasts.Seconds())))
}

func (s *sessions) cookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure where the client speaks https
		Name: cookieName, Value: value, Path: Prefix, MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: httpd.Secure(r),
	}
}

// end signs out.
func (s *sessions) end(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, s.cookie(r, "", -1))
}

// of returns who sends the request, without having looked at whether the key is still valid.
func (s *sessions) of(r *http.Request) (session, error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return session{}, errNoSession
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(sealed) < s.seal.NonceSize() {
		return session{}, errNoSession
	}
	nonce, rest := sealed[:s.seal.NonceSize()], sealed[s.seal.NonceSize():]
	text, err := s.seal.Open(nil, nonce, rest, []byte(cookieName))
	if err != nil || len(text) < 8 {
		return session{}, errNoSession
	}
	if until := time.Unix(int64(binary.BigEndian.Uint64(text)), 0); s.clock.Now().After(until) { //nolint:gosec // as begin wrote it
		return session{}, errNoSession
	}
	return session{key: string(text[8:])}, nil
}

// once makes a one-time link's token for the key.
func (s *sessions) once(key string) string {
	token, now := rand.Text(), s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, one := range s.links {
		if now.After(one.until) || len(s.links) >= maxOnce {
			delete(s.links, old)
		}
	}
	s.links[token] = link{key: key, until: now.Add(onceLasts)}
	return token
}

// redeem returns the key of a one-time link, which is used up by that.
func (s *sessions) redeem(token string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, there := s.links[token]
	delete(s.links, token)
	return one.key, there && !s.clock.Now().After(one.until)
}

// mayTry reports whether the client may try a key.
func (s *sessions) mayTry(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tries[from(r)]
	return t.count < maxTries || s.clock.Now().Sub(t.since) >= triesWithin
}

// wrong counts a wrong key of the client.
func (s *sessions) wrong(r *http.Request) {
	now, who := s.clock.Now(), from(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	for one, t := range s.tries {
		if now.Sub(t.since) >= triesWithin || len(s.tries) >= maxTriers {
			delete(s.tries, one)
		}
	}
	t, known := s.tries[who]
	if !known {
		t.since = now
	}
	t.count++
	s.tries[who] = t
}

// from is the address that a request comes from.
func from(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// signInAddress leads back to the page after signing in.
func signInAddress(r *http.Request) string {
	if r.Method != http.MethodGet {
		return Prefix + "sign-in"
	}
	return Prefix + "sign-in?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
}

// ownPage is an address of the dashboard that somebody may be sent to; the playground instead of any other.
func ownPage(address string) string {
	if strings.HasPrefix(address, Prefix) && !strings.ContainsAny(address, "\\\r\n") && !strings.Contains(address, "//") {
		return address
	}
	return Prefix + "playground"
}

func (d *gate) showSignIn(w http.ResponseWriter, r *http.Request) {
	v := view{"Title": "Sign in", "Next": r.URL.Query().Get("next")}
	d.show(w, session{request: r}, http.StatusOK, "signin", v) //nolint:contextcheck // the context is the request's
}

func (d *gate) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	key, next := strings.TrimSpace(r.PostFormValue("key")), r.PostFormValue("next")
	//nolint:contextcheck // the context is the request's
	refuse := func(status int, why string) {
		d.show(w, session{request: r}, status, "signin", view{"Title": "Sign in", "Next": next, "Wrong": why})
	}
	if !d.sessions.mayTry(r) {
		w.Header().Set("Retry-After", "300")
		refuse(http.StatusTooManyRequests, "Too many wrong keys came from your address. Try again in five minutes.")
		return
	}
	_, err := d.parts.Authenticate(r.Context(), key)
	var known *savepage.Error
	switch {
	case errors.As(err, &known) && known.Code == savepage.CodeUnauthorized:
		d.sessions.wrong(r)
		refuse(http.StatusUnauthorized, "This is not a valid key of this server: "+known.Message+".")
	case err != nil:
		d.showFault(w, r, session{}, err)
	default:
		d.sessions.begin(w, r, key)
		http.Redirect(w, r, ownPage(next), http.StatusSeeOther) //nolint:gosec // ownPage keeps it on this server
	}
}

func (d *gate) signOut(w http.ResponseWriter, r *http.Request) {
	d.sessions.end(w, r)
	http.Redirect(w, r, Prefix+"sign-in", http.StatusSeeOther)
}

// welcome signs in by a one-time link.
func (d *gate) welcome(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	key, valid := d.sessions.redeem(r.URL.Query().Get("token"))
	if !valid {
		v := view{"Title": "Sign in", "Wrong": "This link was used already, or is older than an hour. Sign in with a key."}
		d.show(w, session{request: r}, http.StatusGone, "signin", v) //nolint:contextcheck // the context is the request's
		return
	}
	d.sessions.begin(w, r, key)
	http.Redirect(w, r, Prefix+"playground", http.StatusSeeOther)
}
