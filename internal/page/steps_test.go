package page_test

import (
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// stepped renders the page /steps with some steps.
func stepped(t *testing.T, steps ...savepage.Step) savepage.Report {
	t.Helper()
	return render(t, savepage.Options{URL: shared.url("/steps"), Steps: steps}).Report
}

func click(selector string) savepage.Step { return savepage.Step{Type: "click", Selector: selector} }

func fill(selector, value string) savepage.Step {
	return savepage.Step{Type: "fill", Selector: selector, Value: value}
}

func press(key string) savepage.Step { return savepage.Step{Type: "press", Key: key} }

// A step waits until its element can be used: there, seen, enabled, at rest, and covered by nothing.
func TestStepsWaitUntilTheElementCanBeUsed(t *testing.T) {
	t.Parallel()
	o := savepage.Options{URL: shared.url("/steps"), WaitUntil: savepage.WaitDOMContentLoaded, Steps: []savepage.Step{
		click("#late"), click("#under"), click("#move"), click("#far"), {Type: "hover", Selector: "#menu"}, click("#item"),
		click("#shaded"), click("#inner"), fill("#framed", "x"), {Type: "scroll", Selector: "#list", Y: 300},
	}}
	got := render(t, o).Report.Title
	if want := "rows 5, over late, late, under, move, far, item, shaded, inner, framed x, rows 10"; got != want {
		t.Errorf("the page says %q, want %q", got, want)
	}
}

// Fields of every kind take a value, by the browser's own events where they are written into.
func TestStepsFillFields(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 15) + "Grüße!"
	got := stepped(t, fill("#name", "Ann Lee"), fill("#area", "two\nlines"), fill("#rich", "rich text"), fill("#choice", "Two words"),
		fill("#day", "2026-11-27"), fill("#tick", "true"), fill("#name", long), press("Tab")).Title
	for _, want := range []string{
		"name Ann Lee 8", `area "two\nlines"`, "rich rich text", `choice "2"`, `day "2026-11-27"`, "tick true", "name " + long,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page says %q, without %q", got, want)
		}
	}
	got = stepped(t, fill("#name", ""), press("Tab"), fill("#choice", "1"), press("Control+k"), press("escape"), press("Shift+a"),
		savepage.Step{Type: "press", Selector: "#query", Key: "Escape"}).Title
	if want := `rows 5, name 1, choice "1", control k, escape textarea, shift a, area "Aold", escape input`; got != want {
		t.Errorf("the page says %q, want %q", got, want)
	}
}

// What goes to another page is followed, and what comes late is waited for.
func TestStepsFollowAndWait(t *testing.T) {
	t.Parallel()
	r := stepped(t, fill("#query", "harbour"), press("Enter"), savepage.Step{Type: "wait_for_text", Text: "found for you"}, click("#next"))
	if r.Title != "After ?q=harbour next" || !strings.HasSuffix(r.FinalURL, "/steps-after?q=harbour") {
		t.Errorf("%q at %s", r.Title, r.FinalURL)
	}
	waits := []savepage.Step{
		click("#go"), {Type: "wait_until_gone", Selector: "#busy"}, {Type: "wait_for_text", Text: "READY,\n Ann"},
		{Type: "wait_for_text", Text: "shadow text"}, {Type: "wait_for_selector", Selector: "#wait"}, {Type: "delay", MS: 50},
	}
	for _, clock := range []savepage.Clock{savepage.TimeReal, savepage.TimeVirtual} {
		o := savepage.Options{URL: shared.url("/steps"), WaitUntil: savepage.WaitLoad, Time: clock, Steps: waits}
		if r := render(t, o).Report; r.Title != "rows 5, ready" || r.Partial {
			t.Errorf("%s: %q %q", clock, r.Title, r.Reasons)
		}
	}
}

// A viewport shows what was scrolled into view; a click leaves the page where it was.
func TestStepsScroll(t *testing.T) {
	t.Parallel()
	o := savepage.Options{URL: shared.url("/steps"), Steps: []savepage.Step{click("#far")}}
	if img := decode(t, render(t, o)); !near(img.At(5, 105), grey, 0) {
		t.Errorf("after a click: %v", img.At(5, 105))
	}
	o.Steps = append(o.Steps, savepage.Step{Type: "scroll", Selector: "#far"})
	if img := decode(t, render(t, o)); !near(img.At(5, 450), testsite.BoxColor(), 0) {
		t.Errorf("after scrolling: %v", img.At(5, 450))
	}
	o.Steps = []savepage.Step{click("#far"), {Type: "scroll", Y: 2600}}
	if img := decode(t, render(t, o)); !near(img.At(5, 420), testsite.BoxColor(), 0) {
		t.Errorf("after the wheel: %v", img.At(5, 420))
	}
	o.Fullpage = true
	if shot := render(t, o); shot.Height != 4000 || !near(decode(t, shot).At(5, 3020), testsite.BoxColor(), 0) {
		t.Errorf("the whole page has %d rows", shot.Height)
	}
}

// A step that cannot be done ends the capture, with its index, type, element and why. A value is never named.
func TestStepsThatFail(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		step savepage.Step
		want string
	}{
		{click("#no-such"), `steps[1] (click "#no-such"): no element matches, after 100ms`},
		{click("#wait"), `steps[1] (click "#wait"): the element that matches is not visible, after 100ms`},
		{click("#never"), `steps[1] (click "#never"): the element is covered by <div class="at veil">, after 100ms`},
		{fill("#locked", "s3cret"), `steps[1] (fill "#locked"): the element is read-only, after 100ms`},
		{fill("#list", "s3cret"), `steps[1] (fill "#list"): the element <div id="list"> is no field, after 100ms`},
		{fill("#choice", "s3cret"), `steps[1] (fill "#choice"): the element has no option with this value or text, after 100ms`},
		{
			savepage.Step{Type: "wait_until_gone", Selector: "#late"},
			`steps[1] (wait_until_gone "#late"): an element that matches is visible, after 100ms`,
		},
		{savepage.Step{Type: "wait_for_text", Text: "nowhere"}, `steps[1] (wait_for_text "nowhere"): the page does not show it, after 100ms`},
	} {
		one.step.Timeout = 100
		o := savepage.Options{URL: shared.url("/steps"), Steps: []savepage.Step{click("#far"), one.step}}
		_, err := shared.Render(t.Context(), patient(o))
		if code(err) != savepage.CodeStepFailed || !strings.HasSuffix(err.Error(), one.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v, want %s", err, one.want)
		}
	}
	_, err := shared.Render(t.Context(), patient(savepage.Options{
		URL: shared.url("/steps"), Steps: []savepage.Step{press("Tab"), click("div[")},
	}))
	if code(err) != savepage.CodeInvalidRequest || !strings.Contains(err.Error(), "steps[1].selector") {
		t.Errorf("%v", err)
	}
	// With on_timeout capture, what is waited for in vain is named in the report.
	r := render(t, savepage.Options{
		URL: shared.url("/steps"), Timeout: 4000, OnTimeout: savepage.OnTimeoutCapture,
		Steps: []savepage.Step{{Type: "wait_for_selector", Selector: "#no-such"}},
	}).Report
	if !r.Partial || !strings.Contains(strings.Join(r.Reasons, ";"), `steps[0] (wait_for_selector "#no-such")`) {
		t.Errorf("%q", r.Reasons)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		o    savepage.Options
		want savepage.Code
	}{
		{savepage.Options{WaitForText: "row 4", RequireText: savepage.Texts{"ROW  3", "Shadow text", "inner"}}, ""},
		{savepage.Options{RequireText: savepage.Texts{"row 3", "Ready, Ann"}}, savepage.CodeTextMissing}, // it is hidden
		{savepage.Options{FailOnText: savepage.Texts{"Ready", "nowhere"}}, ""},
		{savepage.Options{FailOnText: savepage.Texts{"nowhere", "row 2"}, Fullpage: true}, savepage.CodeTextFound},
		{savepage.Options{WaitForText: "nowhere", Timeout: 2000}, savepage.CodeRenderTimeout},
	} {
		one.o.URL = shared.url("/steps")
		_, err := shared.Render(t.Context(), patient(one.o))
		if code(err) != one.want || one.want != "" && !strings.Contains(err.Error(), `"`) {
			t.Errorf("%+v: %v", one.o, err)
		}
	}
}
