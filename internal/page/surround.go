package page

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
)

// surround tells the page where and how it is shown. It is sent with the other commands that prepare the tab; only what
// the browser may refuse is awaited.
func (j *job) surround(ctx context.Context) error {
	j.identify()
	if p := medium(j.o); p.Media != "" || len(p.Features) > 0 {
		j.send(emulation.CommandSetEmulatedMedia, p)
	}
	if g := j.o.Geolocation; g != nil {
		accuracy := g.Accuracy
		j.send(emulation.CommandSetGeolocationOverride, emulation.SetGeolocationOverrideParams{Latitude: &g.Latitude, Longitude: &g.Longitude, Accuracy: &accuracy})
		j.w.place = func(origin string) {
			j.s.Send(browser.CommandSetPermission, browser.SetPermissionParams{
				Permission: &browser.PermissionDescriptor{Name: "geolocation"}, Setting: browser.PermissionSettingGranted,
				Origin: origin, BrowserContextID: j.tab.ContextID(),
			})
		}
	}
	if j.o.Timezone != "" {
		err := j.s.Execute(ctx, emulation.CommandSetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: j.o.Timezone}, nil)
		if err := unknownTo(err, "timezone", j.o.Timezone); err != nil {
			return err
		}
	}
	if j.o.Locale != "" {
		err := j.s.Execute(ctx, emulation.CommandSetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: strings.ReplaceAll(j.o.Locale, "-", "_")}, nil)
		return unknownTo(err, "locale", j.o.Locale)
	}
	return nil
}

// unknownTo tells a client that the browser does not know a name that we took for one.
func unknownTo(err error, option, value string) error {
	if _, refused := errors.AsType[*cdp.Error](err); refused {
		message := "is not known to the browser: " + quoted(value)
		return &savepage.Error{
			Code: savepage.CodeInvalidRequest, Message: option + " " + message,
			Fields: []savepage.FieldError{{Location: option, Message: message, Value: value}},
		}
	}
	return err
}

// languages is a locale and its bare language, as a browser of that locale asks for them. The browser adds the weights.
func languages(locale string) string {
	language, rest, more := strings.Cut(locale, "-")
	if !more {
		return locale
	}
	parts := []string{language}
	for part := range strings.SplitSeq(rest, "-") {
		if len(part) == 1 {
			break // what follows are no subtags that a server knows
		}
		parts = append(parts, part)
	}
	if len(parts) == 1 {
		return language
	}
	return strings.Join(parts, "-") + "," + language
}

// medium is what the page's media queries see.
func medium(o savepage.Options) emulation.SetEmulatedMediaParams {
	p := emulation.SetEmulatedMediaParams{Media: string(o.Media)}
	if o.Media == "" && o.Format == savepage.FormatPDF { // from the start, so that what only the print needs is there as well
		p.Media = string(savepage.MediaPrint)
	}
	if o.ColorScheme != "" {
		p.Features = append(p.Features, &emulation.MediaFeature{Name: "prefers-color-scheme", Value: string(o.ColorScheme)})
	}
	if o.ReducedMotion {
		p.Features = append(p.Features, &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"})
	}
	return p
}

// allowPlace lets the origin of a document that the page goes to ask for the place. The lock is held.
func (w *watch) allowPlace(address string) {
	if w.place == nil {
		return
	}
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		w.place(originOf(u))
	}
}
