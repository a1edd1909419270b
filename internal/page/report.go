package page

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
)

const (
	maxTexts   = 5   // console texts in the report
	maxText    = 300 // characters of one
	maxTitle   = 512 // characters
	maxFinal   = savepage.MaxURLBytes
	maxReasons = 10
)

// report says how far the picture can be trusted, from what is known now.
func (j *job) report() savepage.Report {
	events := j.tab.Identity().Events()
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	r := savepage.Report{
		HTTPStatus: j.w.net.status,
		FinalURL:   j.seen.URL,
		Title:      clean(j.seen.Title, maxTitle),
		Blank:      j.blank,
		Partial:    len(j.reasons) > 0,
		Reasons:    j.reasons[:min(len(j.reasons), maxReasons)],
		Truncated:  j.cut,
		Pages:      j.pages,
		Requests:   j.w.requests(events),
		Console:    j.w.con,
		Dialogs:    j.w.dialogs,
		Fonts:      j.fonts,
	}
	r.Console.Texts = slices.Clone(r.Console.Texts)
	if j.banners != nil {
		r.CookieBanner = new(j.banners.result)
	}
	if r.FinalURL == "" && j.arrived {
		r.FinalURL = j.w.nav.url
	}
	if len(r.FinalURL) > maxFinal {
		r.FinalURL = named(r.FinalURL)
	}
	if j.o.HTML != "" && strings.HasPrefix(r.FinalURL, htmlOrigin) {
		r.HTTPStatus, r.FinalURL = 0, ""
	}
	return r
}

// requests counts what became of the page's requests. What the guard refused is counted by its own record, once: the
// browser sees the same as a failure.
func (w *watch) requests(events []guard.Event) savepage.RequestReport {
	r := savepage.RequestReport{Total: w.net.total}
	refused := map[string]bool{}
	for _, e := range events {
		at := fmt.Sprintf("%s:%d", e.Host, e.Port)
		switch e.Kind {
		case guard.Filtered, guard.Blocked, guard.OverBudget:
		default:
			continue
		}
		if e.Host == guard.Nowhere { // a refused socket, which is counted by its own address
			continue
		}
		r.Blocked++
		if !refused[at] {
			refused[at] = true
			r.Named = append(r.Named, "blocked: "+at)
		}
	}
	r.Blocked += w.net.unmade
	for _, one := range w.net.refusals[:min(len(w.net.refusals), maxNamed)] {
		r.Named = append(r.Named, fmt.Sprintf("blocked: %s (%s)", named(one.url), one.option))
	}
	r.Failed = w.net.failed
	for _, f := range w.net.faults {
		host, port := authority(f.url)
		if refused[fmt.Sprintf("%s:%d", host, port)] {
			r.Failed--
			continue
		}
		r.Named = append(r.Named, fmt.Sprintf("failed: %s (%s)", named(f.url), f.what))
	}
	var open []*request
	for _, o := range w.net.open {
		open = append(open, o)
	}
	sortByAge(open)
	r.Pending = len(open)
	for _, o := range open {
		r.Named = append(r.Named, "pending: "+named(o.url))
	}
	r.Named = r.Named[:min(len(r.Named), maxNamed)]
	return r
}

func sortByAge(open []*request) {
	slices.SortFunc(open, func(a, b *request) int { return a.begun.Compare(b.begun) })
}

// console notes console.error, console.warn and failed assertions.
func (w *watch) console(params json.RawMessage) {
	var e struct {
		Type string `json:"type"`
		Args []struct {
			Value       any    `json:"value"`
			Description string `json:"description"`
		} `json:"args"`
	}
	if !read(params, &e) {
		return
	}
	switch e.Type {
	case "error", "assert":
		w.con.Errors++
	case "warning":
		w.con.Warnings++
	default:
		return
	}
	var parts []string
	for _, a := range e.Args {
		switch {
		case a.Description != "":
			parts = append(parts, a.Description)
		case a.Value != nil:
			parts = append(parts, fmt.Sprint(a.Value))
		}
	}
	w.text(strings.Join(parts, " "))
}

// exception notes an error that no script caught.
func (w *watch) exception(params json.RawMessage) {
	var e struct {
		Details struct {
			Text      string `json:"text"`
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	if !read(params, &e) {
		return
	}
	w.con.Errors++
	first, _, _ := strings.Cut(e.Details.Exception.Description, "\n")
	w.text(strings.TrimSpace(e.Details.Text + " " + first))
}

func (w *watch) text(s string) {
	if len(w.con.Texts) < maxTexts {
		w.con.Texts = append(w.con.Texts, clean(s, maxText))
	}
}

// clean makes a page's text fit to be told: valid, printable, short.
func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 8*most)], ""))
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return s
}
