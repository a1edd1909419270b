package truth

import (
	"image/color"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// settling are pages that come in parts.
func settling() []Case {
	return append(moments(), []Case{
		{
			Name: "article", Path: "/a",
			Checks: []Check{Size(1440, 900), Ink("the headline", Box{340, 80, 760, 110}, 0.05, 0.4)},
		},
		{
			Name: "catalogue that a script draws", Path: "/c?ms=300",
			Checks: []Check{Report("title", func(r savepage.Report) string { return differ(r.Title, "Catalogue of 500") })},
		},
		{
			Name: "parts that come one after the other", Path: "/changes?n=4&ms=80",
			Checks: []Check{Spot("the last part", 205, 425, testsite.BoxColor())},
		},
		{
			Name: "a request that never ends", Path: "/pending", Partial: "requests did not end", Options: savepage.Options{Timeout: 20_000},
			Checks: []Check{Names("pending: http")},
		},
		{
			Name: "nothing there", Path: "/status/404", Wall: savepage.WallErrorPage,
			Checks: []Check{Report("status 404", func(r savepage.Report) string { return differ(r.HTTPStatus, 404) })},
		},
		{
			Name: "pictures and a frame that come with the first drawing", Path: "/lazy-first", Options: savepage.Options{Width: 1200},
			Checks: []Check{Pictures(column(6, 100, 80, 50)...), Spot("the frame", 400, 50, color.RGBA{0, 128, 128, 255})},
		},
		{Name: "a page of one colour", Path: "/blank?color=teal", Blank: true},
		{Name: "no answer at all", Path: "/close", Fails: savepage.CodeConnectionFailed},
	}...)
}

// moments are ways in which a page is filled a moment after it has loaded.
func moments() []Case {
	var cases []Case
	for _, way := range []struct{ by, name string }{
		{"timer", "a timer after the load"},
		{"interval", "the fourth tick of an interval"},
		{"promise", "two pauses one after the other"},
		{"worker", "a worker's message"},
		{"idle", "an idle moment"},
		{"idlelate", "an idle moment after much small work"},
		{"workerfile", "a worker of the server"},
		{"workerfetch", "a worker that asks the server"},
		{"workerbusy", "a worker that works long"},
		{"workerjob", "a worker with three jobs"},
		{"workernested", "a worker's worker"},
		{"frames", "fading in"},
		{"loop", "beside a loop of frames"},
		{"chain", "the last of four requests"},
		{"chunk", "thirty small steps"},
		{"module", "a module that loads late"},
		{"stream", "the first event of a stream"},
		{"poll", "beside a poll"},
		{"late", "a timer of a page that says it is loading"},
	} {
		cases = append(cases, Case{
			Name: "filled by " + way.name, Path: "/moments?by=" + way.by,
			Checks: []Check{Spot("the pane", 720, 400, testsite.BoxColor())},
		})
	}
	return append(cases, Case{
		Name: "filled beside a long poll", Path: "/moments?by=long", Options: savepage.Options{Timeout: 20_000}, Partial: "requests did not end",
		Checks: []Check{Spot("the pane", 720, 400, testsite.BoxColor()), Names("pending: http")},
	})
}
