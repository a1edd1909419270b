package page

import (
	"context"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/address"
)

// judge ends the render when the page is what fail_on names, as far as that is known by now.
func (j *job) judge(context.Context) error {
	if len(j.o.FailOn) == 0 {
		return nil
	}
	if is := j.reader.wall; j.o.FailsOn(is.Wall) {
		return savepage.Errorf(savepage.CodeWall, "what is shown is a wall of the kind %s: %s", is.Wall, strings.Join(is.Signs, "; "))
	}
	r := j.report()
	for _, on := range j.o.FailOn {
		if err := j.fails(on, r); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) fails(on savepage.Failure, r savepage.Report) error {
	switch class := r.HTTPStatus / 100; {
	case on == savepage.FailOn4xx && class == 4, on == savepage.FailOn5xx && class == 5:
		return savepage.Errorf(savepage.CodeHTTPError, "%s answered with status %d", address.Named(j.main.URL()), r.HTTPStatus)
	case on == savepage.FailOnBlank && r.Blank:
		return savepage.Errorf(savepage.CodeBlank, "the picture has one colour only")
	case on == savepage.FailOnRequest:
		return failsByRequest(r.Requests, r.Requests.Blocked-j.requests.Refused())
	}
	return nil
}

// failsByRequest names the first requests that failed or that the guard refused, which are so many. What options of the capture keep
// from the page does not count.
func failsByRequest(r savepage.RequestReport, refused int) error {
	if r.Failed+refused == 0 {
		return nil
	}
	const maxSaid = 3
	var said []string
	for _, name := range r.Named {
		if len(said) < maxSaid && !strings.HasPrefix(name, "pending: ") {
			said = append(said, name)
		}
	}
	return savepage.Errorf(savepage.CodeRequestFailed,
		"requests of the page that did not succeed: %d (%s)", r.Failed+refused, strings.Join(said, ", "))
}
