package page

import (
	"context"
	"errors"
	"strings"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/note"
)

// surround tells the page where and how it is shown. It is sent with the other commands that prepare the tab; only what
// the browser may refuse is awaited.
func (s *setup) surround(ctx context.Context) error {
	s.identify()
	if p := medium(s.o); p.Media != "" || len(p.Features) > 0 {
		s.sent.Send(emulation.CommandSetEmulatedMedia, p)
	}
	if g := s.o.Geolocation; g != nil {
		accuracy := g.Accuracy
		s.sent.Send(emulation.CommandSetGeolocationOverride, emulation.SetGeolocationOverrideParams{
			Latitude: &g.Latitude, Longitude: &g.Longitude, Accuracy: &accuracy,
		})
	}
	if s.o.Timezone != "" {
		err := s.page.Execute(ctx, emulation.CommandSetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: s.o.Timezone}, nil)
		if err := unknownTo(err, "timezone", s.o.Timezone); err != nil {
			return err
		}
	}
	if s.o.Locale != "" {
		locale := emulation.SetLocaleOverrideParams{Locale: strings.ReplaceAll(s.o.Locale, "-", "_")}
		err := s.page.Execute(ctx, emulation.CommandSetLocaleOverride, locale, nil)
		return unknownTo(err, "locale", s.o.Locale)
	}
	return nil
}

// unknownTo tells a client that the browser does not know a name that was taken for one.
func unknownTo(err error, option, value string) error {
	if _, refused := errors.AsType[*cdp.Error](err); refused {
		message := "is not known to the browser: " + note.Quoted(value)
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
			break // the rest are subtags that no server knows
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
	if o.Media == "" && o.Format.Info().Paged { // from the start, so that what only the print needs is there as well
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

// allowLocation lets an origin ask for the page's location.
func (k kit) allowLocation(origin string) {
	k.page.Send(browser.CommandSetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "geolocation"}, Setting: browser.PermissionSettingGranted,
		Origin: origin, BrowserContextID: k.tab.ContextID(),
	})
}
