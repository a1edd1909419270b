package truth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/savepage/savepage"
)

// facts is a check of one line of the report.
func facts(says string, want any, of func(savepage.Report) any) Check {
	return Report(says, func(r savepage.Report) string { return differ(fmt.Sprint(of(r)), fmt.Sprint(want)) })
}

// reports are pages whose report is known in advance, in all its parts, and pages that are nearly blank or are.
func reports() []Case {
	counts := func(total, failed, blocked int) Check {
		return facts("requests are counted, none is pending", []int{total, failed, blocked, 0}, func(r savepage.Report) any {
			return []int{r.Requests.Total, r.Requests.Failed, r.Requests.Blocked, r.Requests.Pending}
		})
	}
	page := func(status int, path, title string) Check {
		return facts("status, address and title", []any{status, path, title}, func(r savepage.Report) any {
			_, at, _ := strings.Cut(strings.TrimPrefix(r.FinalURL, "http://"), "/")
			return []any{r.HTTPStatus, at, r.Title}
		})
	}
	return slices.Concat([]Case{
		{
			Name: "report: pictures, a font and a style", Path: "/b",
			Checks: []Check{counts(33, 0, 0), page(200, "b", "Tidewater, tools for the coast")},
		},
		{
			Name: "report: after a redirect", Path: "/redirect?to=/a",
			Checks: []Check{counts(1, 0, 0), page(200, "a", "The harbour wakes before the town")},
		},
		{
			Name: "report: after a script's redirect", Path: "/js-redirect?to=/status/404", Wall: savepage.WallErrorPage,
			Checks: []Check{page(404, "status/404", "Status")},
		},
		{
			Name: "report: console and a missing picture", Path: "/console",
			Checks: []Check{
				counts(2, 1, 0),
				Names("/no-such-picture (status 404)"),
				facts("console is counted", []any{53, 1, 5, "careful"}, func(r savepage.Report) any {
					return []any{r.Console.Errors, r.Console.Warnings, len(r.Console.Texts), r.Console.Texts[0]}
				}),
				facts(
					"no query is told",
					false,
					func(r savepage.Report) any { return strings.Contains(strings.Join(r.Requests.Named, " "), "hunter2") },
				),
			},
		},
		{Name: "report: dialogs", Path: "/dialogs", Checks: []Check{facts("3 dialogs", 3, func(r savepage.Report) any { return r.Dialogs })}},
		{
			Name:    "report: closed address",
			Options: savepage.Options{HTML: `<h1>Harbour</h1><img src="http://10.0.0.7/secret.png" width="50" height="50">`},
			Checks:  []Check{counts(2, 0, 1), Names("blocked: 10.0.0.7:80"), page(200, "", "")},
		},
	}, blanks())
}

// blanks are pictures of one colour, and others that nearly are.
func blanks() []Case {
	formats := []savepage.Format{savepage.FormatPNG, savepage.FormatJPEG, savepage.FormatWebP}
	dot := func(colour string) string {
		return `<body style="margin:0;background:` + colour + `"><div ` +
			`style="position:absolute;left:700px;top:1500px;width:2px;height:2px;background:#777"></div>`
	}
	plain := func(colour string) string { return `<body style="margin:0;background:` + colour + `;height:1600px">` }
	var cases []Case
	for _, f := range formats {
		for _, colour := range []string{"white", "black", "#1e3a5f"} {
			o := savepage.Options{Format: f, Fullpage: true}
			o.HTML = plain(colour)
			cases = append(cases, Case{Name: "blank: " + colour + " " + string(f), Options: o, Blank: true})
			o.HTML = dot(colour)
			cases = append(cases, Case{Name: "not blank: a dot on " + colour + " " + string(f), Options: o})
		}
	}
	see := savepage.Options{Transparent: true, Scale: 0.5}
	through, seen := see, see
	through.HTML, seen.HTML = `<p></p>`, `<p style="margin:0;width:9px;height:9px;background:#fff8">`
	thumb := savepage.Options{HTML: plain("teal"), ThumbWidth: 100}
	return append(cases,
		Case{Name: "blank: nothing, transparent", Options: through, Blank: true},
		Case{Name: "not blank: a little, transparent", Options: seen},
		Case{Name: "blank: thumbnail", Options: thumb, Blank: true},
	)
}
