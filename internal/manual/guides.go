package manual

import (
	"fmt"
	"html/template"
	"io/fs"
	"strings"

	"github.com/savepage/savepage"
)

// The groups of the side bar.
const (
	groupBegin     = "Begin"
	groupCaptures  = "Captures"
	groupReference = "Reference"
	groupAPI       = "HTTP API"
	groupServer    = "Running it"
	groupTests     = "How it is tested"
)

// guide is a file of the folder docs that is a page.
type guide struct{ group, name, lede string }

// guideTable lists the guides in the order in which people need them. A file of the folder without a row is no page.
func guideTable() []guide {
	return []guide{
		{groupBegin, "start", "From nothing to the first picture and the first callback."},
		{groupBegin, "requests", "Requests from Node, Python, Go and PHP: a capture, waiting for it, errors."},
		{groupBegin, "cli", "Captures without a server, manual pages, completion, installation."},
		{groupBegin, "action", "A list of pages captured in a job of GitHub, with the pictures kept."},
		{groupBegin, "mcp", "Captures as tools of language models: Claude, Cursor, VS Code, over standard input or HTTP."},
		{groupBegin, "moving", "Keep your client and change its address: what to choose, keys, links, callbacks, the older API."},
		{groupBegin, "moving-screenshotone", "/take: each option, what is ignored or refused, an example, webhooks, errors."},
		{groupBegin, "moving-urlbox", "Links and render: each option, what is ignored or refused, an example, webhooks, errors."},
		{groupBegin, "moving-gotenberg", "The Chromium routes: each field, what is ignored or refused, an example, webhooks, errors."},
		{groupBegin, "moving-browserless", "/screenshot and /pdf: each name, what is ignored or refused, an example, errors."},
		{groupBegin, "dashboard", "The pages for people at /: sign in, playground, captures, deliveries."},
		{groupCaptures, "pictures", "When a page is ready, full pages, parts of a page, steps, walls, sizes, fonts."},
		{groupCaptures, "pdf", "Paper, margins, headers and footers, outline, one long page."},
		{groupCaptures, "webhooks", "Payloads, verification in five languages, retries, redelivery, testing."},
		{groupCaptures, "batches", "Up to 1,000 pages in one request, with one event at the end."},
		{groupCaptures, "cache", "Pictures that are taken once and returned many times."},
		{groupCaptures, "blocking", "Advertisements, trackers, cookie banners, chats, requests of your choice."},
		{groupCaptures, "motion", "Animations, carousels, videos, and time that passes as fast as the page can compute."},
		{groupCaptures, "stores", "Pictures in a bucket of your own, at Amazon S3 or a service with its API."},
		{groupCaptures, "links", "Pictures in an img element, without a key."},
		{groupReference, "errors", "Every code, its status, and whether the service tries again."},
		{groupServer, "operations", "Accounts, networks, health, metrics, backups, HTTPS, packages, buckets, PostgreSQL."},
		{groupServer, "nodes", "Several servers on one PostgreSQL database: roles, what holds for all, when one dies."},
		{groupServer, "scale", "From a thousand captures a day to a thousand million: what one costs, what gives way first."},
		{groupServer, "configuration", "Every setting: variable, flag, key of the file, default."},
		{groupServer, "accounts", "Keys with scopes, accounts with limits of their own, what a month counts."},
		{groupServer, "limits", "What may be how large, how many and how long."},
		{groupTests, "truth", "Pages with known pixels, and how to add one."},
		{groupTests, "hostile", "Pages that attack the service, and where each is stopped."},
		{groupTests, "soak", "What grows under load, and what is lost when processes are killed."},
	}
}

// addGuides renders the guides.
func addGuides(s *book) error {
	known, err := s.titles()
	if err != nil {
		return err
	}
	for _, g := range guideTable() {
		text, err := fs.ReadFile(s.config.Files, g.name+".md")
		if err != nil {
			return err
		}
		address := Prefix + "/" + g.name
		made, err := render(text, known)
		if err != nil {
			return fmt.Errorf("%s.md: %w", g.name, err)
		}
		s.add(g.group, &page{
			Address: address, Title: made.title, Lede: g.lede, Parts: made.parts(), layout: "guide",
			content: template.HTML(made.html), //nolint:gosec // made of the project's own files, in which HTML is not let through
		})
		s.index.addSections(made, address)
	}
	return nil
}

// titles are the titles of the files that are pages, by their names.
func (s *book) titles() (map[string]string, error) {
	titles := map[string]string{"options": "Options"}
	for _, g := range guideTable() {
		text, err := fs.ReadFile(s.config.Files, g.name+".md")
		if err != nil {
			return nil, err
		}
		_, after, _ := strings.Cut("\n"+string(text), "\n# ")
		titles[g.name], _, _ = strings.Cut(after, "\n")
	}
	return titles, nil
}

// addFront makes the front page. It has the codes of errors, because the type of a problem is its address and their names.
func addFront(s *book) error {
	s.pages[Prefix] = &page{Address: Prefix, Title: "Manual", layout: "front", content: savepage.Codes()}
	return nil
}
