package hostile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/hostile"
)

// TestInward is group E, and what one capture could leave for the next (G): pages that read files, pages of the browser, or
// another capture.
func TestInward(t *testing.T) {
	if *unguarded {
		return
	}
	r := newRig(t, belts{guard: true, flags: true, jail: browser.JailAuto})
	t.Run("files", r.files)
	t.Run("never a picture", r.refused)
	t.Run("browser pages", r.browserPages)
	t.Run("between captures", r.between)
}

func (r *rig) picture(ctx context.Context, o savepage.Options) ([]byte, string, error) {
	o.Width, o.Height, o.Timeout = 400, 300, 60_000
	shot, err := r.Render(ctx, o)
	if shot.Large != nil {
		err = errors.Join(err, shot.Close())
	}
	return shot.Bytes, shot.Report.Title, err
}

// files: a page that shows a file looks exactly like one that shows a file which does not exist.
func (r *rig) files(t *testing.T) {
	for _, c := range hostile.Files() {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			var seen [2][]byte
			for i, file := range []string{"etc/passwd", "etc/nothing-here"} {
				o := savepage.Options{URL: r.site.InlineURL(strings.ReplaceAll(c.Body, "FILE", file)), Delay: 500}
				if c.Input {
					o = savepage.Options{HTML: strings.ReplaceAll(c.Body, "FILE", file), Delay: 500}
				}
				image, title, err := r.picture(t.Context(), o)
				if err != nil {
					image = []byte(outcome(capture.Shot{}, err))
				}
				if strings.Contains(title, "root:") {
					t.Errorf("%s (%s): the page reads %q", c.ID, c.Title, title)
				}
				seen[i] = image
			}
			if !bytes.Equal(seen[0], seen[1]) {
				t.Errorf("%s (%s): a file that is there looks otherwise than one that is not", c.ID, c.Title)
			}
			rows.add(c.ID, c.Title, "looks like a file that does not exist",
				fmt.Sprintf("two pictures of %d bytes, equal: %v", len(seen[0]), bytes.Equal(seen[0], seen[1])))
		})
	}
}

// refused are pages whose main frame leaves the web: there is an error and no picture.
func (r *rig) refused(t *testing.T) {
	for id, url := range map[string]string{
		"E01": r.site.URL("redirect?code=302&to=file:///etc/passwd"), "E01/chrome": r.site.URL("redirect?code=302&to=chrome://version/"),
		"E07/file": "file:///etc/passwd", "E07/chrome": "chrome://version/", "E07/view-source": "view-source:file:///etc/passwd",
		"E07/script": "javascript:document.title='x'", "E07/data": "data:text/html,x",
	} {
		t.Run(id, func(t *testing.T) {
			image, _, err := r.picture(t.Context(), savepage.Options{URL: url})
			if err == nil || len(image) > 0 {
				t.Errorf("%s: %s gives a picture of %d bytes, %v", id, url, len(image), err)
			}
			rows.add(id, url, "an error, no picture", fmt.Sprint(err))
		})
	}
}

// browserPages: a page that asks for one stays where it is, becomes empty or fails. No page of the browser is shown.
func (r *rig) browserPages(t *testing.T) {
	var harmless [2][]byte
	for i, body := range []string{"<p>stays</p>", ""} {
		image, _, err := r.picture(t.Context(), savepage.Options{URL: r.site.InlineURL(body)})
		if err != nil {
			t.Fatal(err)
		}
		harmless[i] = image
	}
	for _, to := range []string{
		"chrome://gpu", "chrome://version/", "about:version", "devtools://devtools/bundled/inspector.html", "chrome-extension://x/y",
		"view-source:http://site.test/", "file:///etc/passwd", "filesystem:http://site.test/temporary/x",
	} {
		for _, how := range []string{"location = '%s'", "open('%s', '_self')"} {
			t.Run(to, func(t *testing.T) {
				t.Parallel()
				body := "<p>stays</p><script>try { " + fmt.Sprintf(how, to) + " } catch (e) {}</script>"
				image, _, err := r.picture(t.Context(), savepage.Options{URL: r.site.InlineURL(body), Delay: 500})
				stays, empty := bytes.Equal(image, harmless[0]), bytes.Equal(image, harmless[1])
				if err == nil && !stays && !empty {
					t.Errorf("E06: %s with %s changes the picture", to, how)
				}
				rows.add("E06", fmt.Sprintf(how, to), "the page stays, is empty, or an error", fmt.Sprintf("stays %v, empty %v, %v", stays, empty, err))
			})
		}
	}
}

// between: what one capture leaves, the next does not find.
func (r *rig) between(t *testing.T) {
	for _, c := range hostile.Leftovers() {
		t.Run(c.ID, func(t *testing.T) {
			url := func(body string) string {
				if c.Secure {
					return r.site.SecureInlineURL(body)
				}
				return r.site.InlineURL(body)
			}
			for _, step := range []struct{ body, want string }{{c.Leave, c.Left}, {c.Look, c.Clean}} {
				_, title, err := r.picture(t.Context(), savepage.Options{URL: url(step.body), Delay: 1000})
				if err != nil || title != step.want {
					t.Errorf("%s (%s): the page says %q, %v; want %q", c.ID, c.Title, title, err, step.want)
				}
			}
			rows.add(c.ID, c.Title, "the next capture sees "+c.Clean, "so it is")
		})
	}
}

// TestStrictTransport is the HSTS of G04: what a site orders in one capture holds in no other. In the one that heard it, it
// does: the browser trusts the site's certificate.
func TestStrictTransport(t *testing.T) {
	if *unguarded {
		return
	}
	r := newRig(t, belts{guard: true, flags: true, trust: true, jail: browser.JailAuto})
	var seen []string
	for _, step := range []struct{ url, want string }{{r.site.StrictURL(), "https:"}, {r.site.PlainURL(), "http:"}} {
		_, title, err := r.picture(t.Context(), savepage.Options{URL: step.url})
		if err != nil || title != step.want {
			t.Errorf("G04: %s leads to %q, %v; want %q", step.url, title, err, step.want)
		}
		seen = append(seen, title)
	}
	const want = "holds in its own capture, not in the next"
	rows.add("G04/strict", "an order to use nothing but TLS (HSTS)", want, strings.Join(seen, ", then "))
}
