package hostile

import (
	"encoding/base64"
	"io"
	"net/http"
)

// File is a page that tries to show or read a file of the machine: FILE stands for its path without the first slash.
type File struct {
	ID    string
	Title string
	Body  string
	Input bool // the page is the html option, not one of the site
}

// Files are cases of group E.
func Files() []File {
	var list []File
	for _, one := range []File{
		{ID: "E02/iframe", Title: "iframe file:", Body: `<iframe src="file:///FILE" width=300 height=200></iframe>`},
		{ID: "E02/unc", Title: `iframe \\localhost`, Body: `<iframe src="\\localhost/FILE" width=300 height=200></iframe>`},
		{
			ID: "E02/unc-file", Title: "iframe file://localhost",
			Body: `<iframe src="file://localhost/FILE" width=300 height=200></iframe>`,
		},
		{
			ID: "E02/loopback", Title: "iframe file://127.0.0.1",
			Body: `<iframe src="file://127.0.0.1/FILE" width=300 height=200></iframe>`,
		},
		{
			ID: "E02/object", Title: "object and embed",
			Body: `<object data="file:///FILE" width=300></object><embed src="file:///FILE" width=300>`,
		},
		{
			ID: "E02/img", Title: "img, script, stylesheet",
			Body: `<img src="file:///FILE"><script src="file:///FILE"></script><link rel=stylesheet href="file:///FILE">`,
		},
		{ID: "E02/blob", Title: "a frame in a frame from a Blob", Body: `<script>const f = document.createElement('iframe');
f.width = 300;
f.src = URL.createObjectURL(new Blob(['<iframe src="file:///FILE"></iframe>'], {type: 'text/html'}));
document.documentElement.append(f)</script>`},
		{ID: "E03/blob", Title: "a page from a Blob with the frame", Body: `<script>location = URL.createObjectURL(new Blob(
['<iframe src="file:///FILE"></iframe>'], {type: 'text/html'}))</script>`},
		{
			ID: "E02/data", Title: "a frame in a data: frame",
			Body: `<iframe src='data:text/html,<iframe src="file:///FILE"></iframe>'></iframe>`,
		},
		{
			ID: "E02/sandbox", Title: "a frame in a sandboxed frame",
			Body: `<iframe sandbox srcdoc='<iframe src="file:///FILE"></iframe>'></iframe>`,
		},
		{ID: "E03/location", Title: "location = file:", Body: `<p>x<script>location = 'file:///FILE'</script>`},
		{
			ID: "E03/open", Title: "window.open of a file",
			Body: `<p>x<script>open('file:///FILE'); open('file:///FILE', '_self')</script>`,
		},
		{
			ID: "E03/fetch", Title: "fetch of a file into the title",
			Body: `<p>x<script>fetch('file:///FILE').then(r => r.text()).then(t => { document.title = t }, () => 0)</script>`,
		},
		{ID: "E03/xhr", Title: "XHR of a file into the title", Body: `<p>x<script>const q = new XMLHttpRequest();
try { q.open('GET', 'file:///FILE', false); q.send(); document.title = q.responseText } catch (e) {}</script>`},
		{
			ID: "E03/worker", Title: "a worker from a file",
			Body: `<p>x<script>try { new Worker('file:///FILE').onerror = e => { document.title = e.message } } catch (e) {}</script>`,
		},
		{
			ID: "E03/xslt", Title: "a picture that uses a file",
			Body: `<svg><image href="file:///FILE" width=300 height=200 /><use href="file:///FILE#x"/></svg>`,
		},
		{ID: "E05", Title: "paths that climb", Body: `<img src="../../../../FILE"><iframe src="../../../../FILE" width=300></iframe>`},
	} {
		input := one
		input.ID, input.Title, input.Input = "E04/"+one.ID, one.Title+", in the html option", true
		list = append(list, one, input)
	}
	return list
}

// Leftover is what one capture leaves, and how the next looks for it. Pages say what they find in their title.
type Leftover struct {
	ID          string
	Title       string
	Leave, Left string // the first page, and what it says
	Look, Clean string // the second page, and what it says when nothing was left
	Secure      bool   // on the secure origin
}

// Leftovers are cases of group G.
func Leftovers() []Leftover {
	return []Leftover{
		{
			ID: "G03", Title: "user and password that a page has signed in with",
			Leave: `<script>const q = new XMLHttpRequest(); q.open('GET', '/auth', false, 'user', 'password'); q.send();
document.title = q.status</script>`,
			Left: "200",
			Look: `<script>const q = new XMLHttpRequest(); q.open('GET', '/auth', false); q.send();
document.title = q.status</script>`, Clean: "401",
		},
		{
			ID: "G04/storage", Title: "storage, and an order to clear it", Secure: true,
			Leave: `<script>localStorage.x = document.cookie = 'left'; fetch('/clear').then(() =>
{ document.title = 'said' })</script>`, Left: "said",
			Look: `<script>document.title = 'found ' + (localStorage.x || '') + document.cookie</script>`, Clean: "found",
		},
		{
			ID: "G14", Title: "the window's name and opener",
			Leave: `<script>name = 'left'; document.title = name</script>`, Left: "left",
			Look:  `<script>document.title = 'name ' + name + ', opener ' + opener + ', history ' + history.length</script>`,
			Clean: "name , opener null, history 2",
		},
	}
}

// InlineURL is the address of a page with this body on the public origin.
func (s *Site) InlineURL(body string) string { return "http://" + SiteHost + inlinePath(body) }

// SecureInlineURL is the same on the secure origin.
func (s *Site) SecureInlineURL(body string) string { return s.Secure + inlinePath(body) }

func inlinePath(body string) string {
	return "/inline?body=" + base64.RawURLEncoding.EncodeToString([]byte("<!doctype html>"+body))
}

func inline(w http.ResponseWriter, r *http.Request) {
	body, err := base64.RawURLEncoding.DecodeString(r.URL.Query().Get("body"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write(body) //nolint:gosec // pages of the suite
}

// signIn wants a user and a password.
func signIn(w http.ResponseWriter, r *http.Request) {
	if user, password, given := r.BasicAuth(); !given || user != "user" || password != "password" {
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(w, "in")
}

func clearSite(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Clear-Site-Data", `"*"`)
}
