package truth

import "github.com/savepage/savepage"

// verdicts are pages that the capture may not take for good.
func verdicts() []Case {
	all := []savepage.Failure{savepage.FailOn4xx, savepage.FailOn5xx, savepage.FailOnBlank, savepage.FailOnRequest}
	on := func(these ...savepage.Failure) savepage.Options { return savepage.Options{FailOn: these} }
	jpeg, webp, tall := on(savepage.FailOnBlank), on(savepage.FailOnBlank), on(savepage.FailOnBlank)
	jpeg.Format, webp.Format, tall.Fullpage = savepage.FormatJPEG, savepage.FormatWebP, true
	return []Case{
		{Name: "fail on: nothing wrong", Path: "/a", Options: on(all...), Checks: []Check{Size(1440, 900)}},
		{
			Name: "fail on: 404 is no 5xx", Path: "/status/404", Wall: savepage.WallErrorPage,
			Options: on(savepage.FailOn5xx, savepage.FailOnBlank, savepage.FailOnRequest),
		},
		{Name: "fail on: 404", Path: "/status/404", Options: on(savepage.FailOn4xx), Fails: savepage.CodeHTTPError},
		{Name: "fail on: 503", Path: "/status/503", Options: on(all...), Fails: savepage.CodeHTTPError},
		{Name: "fail on: 404 that goes on to a page", Path: "/js-redirect?status=404&to=/a", Options: on(savepage.FailOn4xx)},
		{Name: "fail on: blank", Path: "/blank", Options: on(savepage.FailOnBlank), Fails: savepage.CodeBlank},
		{Name: "fail on: blank jpeg", Path: "/blank?color=teal", Options: jpeg, Fails: savepage.CodeBlank},
		{Name: "fail on: blank webp", Path: "/blank?color=black", Options: webp, Fails: savepage.CodeBlank},
		{Name: "fail on: blank in tiles", Path: "/blank?color=teal&height=30000", Options: tall, Fails: savepage.CodeBlank, Heavy: true},
		{Name: "fail on: a picture is missing", Path: "/console", Options: on(savepage.FailOnRequest), Fails: savepage.CodeRequestFailed},
		{
			Name: "fail on: a missing picture is no bad status", Path: "/console",
			Options: on(savepage.FailOn4xx, savepage.FailOn5xx, savepage.FailOnBlank),
		},
		{
			Name: "fail on: left out by an option", Path: "/console", Checks: []Check{Size(1440, 900)},
			Options: savepage.Options{FailOn: all, BlockResources: []savepage.Resource{savepage.ResourceImage}},
		},
	}
}
