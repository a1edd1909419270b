package truth

import (
	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// late are pages that are not ready when the time is over, and are shown as they are.
func late() []Case {
	at := func(o savepage.Options) savepage.Options {
		o.Timeout, o.OnTimeout = 8000, savepage.OnTimeoutCapture
		return o
	}
	heading := Ink("the heading", Box{0, 0, 1440, 200}, 0.001, 0.5)
	return append(spinning(at), []Case{
		{
			Name: "late: load never comes", Path: "/pending-picture", Options: at(savepage.Options{WaitUntil: savepage.WaitLoad}),
			Checks: []Check{Size(1440, 900), heading, Names("pending: ")}, Partial: "the timeout came while waiting for the load event (open: ",
		},
		{
			Name: "late: never idle", Path: "/pending", Options: at(savepage.Options{WaitUntil: savepage.WaitNetworkIdle}),
			Checks: []Check{Size(1440, 900), heading}, Partial: "while waiting for the network to be idle (open: ",
		},
		{
			Name: "late: document drips", Path: "/drip", Options: at(savepage.Options{WaitUntil: savepage.WaitDOMContentLoaded}),
			Checks: []Check{Size(1440, 900)}, Partial: "while waiting for the document to be parsed",
		},
		{
			Name: "late: selector never appears", Path: "/a", Options: at(savepage.Options{WaitForSelector: "#nothing"}),
			Checks: []Check{Size(1440, 900), heading}, Partial: `while waiting for the selector "#nothing" to be visible`,
		},
		{
			Name: "late: whole page", Path: "/bands?height=9000", Options: at(savepage.Options{Fullpage: true, Delay: 20000}),
			Checks: []Check{Size(1440, 9000), Bands(0, 0, 9000)}, Partial: "while waiting for the delay",
		},
		{
			Name: "late: one element", Path: "/element", Options: at(savepage.Options{Selector: "#low", Delay: 20000, Transparent: true}),
			Checks: []Check{Size(240, 160)}, Partial: "while waiting for the delay", Blank: true,
		},
		{
			Name: "late: element never there", Path: "/element?ms=600000",
			Options: at(savepage.Options{Selector: "#late", WaitForSelector: "#late"}),
			Fails:   savepage.CodeSelectorNotFound,
		},
		{
			Name: "late: endless script", Path: "/spin-now", Options: at(savepage.Options{WaitUntil: savepage.WaitLoad, Delay: 20000}),
			Checks: []Check{Size(1440, 900)}, Partial: "scripts that kept the page from being drawn were switched off",
		},
		{
			Name: "late: no document", Path: "/hang", Options: at(savepage.Options{}), Fails: savepage.CodeNavigationTimeout,
		},
		{
			Name: "late: in time after all", Path: "/bands?height=2000", Options: at(savepage.Options{Fullpage: true}),
			Checks: []Check{Size(1440, 2000), Bands(0, 0, 2000)},
		},
	}...)
}

// spinning are pages with scripts that do not end, and begin again when they are stopped.
func spinning(at func(savepage.Options) savepage.Options) []Case {
	const off = "scripts that kept the page from being drawn were switched off"
	band := testsite.BandColor
	var cases []Case
	for _, c := range []struct{ by, partial string }{
		{"once", "a script that did not end was stopped"},
		{"promises", "script"}, // stopped, or switched off: they may begin again
		{"interval", off},
		{"frame", off},
		{"chain", off},
		{"parser", off},
		{"frame-of-other", off},
	} {
		o, seen := at(
			savepage.Options{},
		), []Check{
			Fill("before the script", Box{40, 200, 200, 100}, band(101)),
			Fill("after the script", Box{280, 200, 200, 100}, band(102)),
		}
		o.Timeout = 25_000 // 8 s of it are for the picture: on a busy machine the process of a page that has worked for long gets little
		if c.by == "once" {
			o.Timeout = 60_000 // it is ended long before
		}
		whole := o
		whole.Fullpage = true
		if c.by == "interval" { // the whole page shows what the window does
			cases = append(cases, Case{
				Name: "late: spins, " + c.by, Path: "/spins?by=" + c.by, Options: o,
				Checks: append([]Check{Size(1440, 900)}, seen...), Partial: c.partial,
			})
		}
		cases = append(cases, Case{
			Name: "late: spins, " + c.by + ", whole page", Path: "/spins?by=" + c.by, Options: whole,
			Checks: append([]Check{Size(1440, 2900), Fill("further down", Box{40, 2800, 200, 100}, band(103))}, seen...), Partial: c.partial,
		})
	}
	return cases
}
