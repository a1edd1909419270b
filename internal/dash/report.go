package dash

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/site"
)

// remark is one sentence about a picture, with what to do.
type remark struct {
	Level  string // bad, warn, ok
	Text   string
	Advice string
	Named  []string
}

// remarks are the report in words, worst first.
func remarks(r *savepage.Report) []remark {
	if r == nil {
		return nil
	}
	all := append(faults(r), oddities(r)...)
	if len(all) == 0 {
		return []remark{{Level: "ok", Text: "Everything that the page asked for came."}}
	}
	return all
}

// faults are what makes a picture wrong.
func faults(r *savepage.Report) []remark {
	var all []remark
	add := func(is bool, one remark) {
		if is {
			one.Level = "bad"
			all = append(all, one)
		}
	}
	add(r.HTTPStatus >= 400, remark{
		Text:   "The page answered " + strconv.Itoa(r.HTTPStatus) + ".",
		Advice: "Look whether the address is right, or whether the page wants a cookie or a header. fail_on: 4xx makes such captures fail.",
	})
	add(r.Blank, remark{
		Text: "Every pixel has one colour.", Advice: "Wait for something that is always there: wait_for_selector.",
	})
	add(r.Partial, remark{
		Text: "Something was missing when the picture was taken.", Advice: "A longer timeout or a delay may help.", Named: r.Reasons,
	})
	add(r.Truncated, remark{
		Text: "The page is larger than the picture.", Advice: "A larger max_height, or several pictures with clip.",
	})
	return all
}

// oddities are what may be as the page's owner wants it.
func oddities(r *savepage.Report) []remark {
	var all []remark
	add := func(n int, what, how, advice string, named []string) {
		if n > 0 {
			all = append(all, remark{Level: "warn", Text: plural(n, what) + how, Advice: advice, Named: named})
		}
	}
	add(r.Requests.Failed, "request", " failed.", "Often analytics; without a font or a style the page looks otherwise.", r.Requests.Named)
	add(r.Requests.Blocked, "request", " blocked.", "By your options, or because the address is not public.", nil)
	add(r.Requests.Pending, "request", " had not ended.", "wait_until: networkidle waits for them.", nil)
	add(r.Fonts.Missing, "character", " without a font.", "Install a font for the script on the server.", r.Fonts.Named)
	add(r.Console.Errors, "error", " in the page's console.", "", r.Console.Texts)
	add(r.Dialogs, "dialog", " dismissed.", "", nil)
	if b := r.CookieBanner; b != nil && b.Outcome != savepage.BannerNone {
		all = append(all, remark{Level: "ok", Text: "A cookie banner was " + string(b.Outcome) + toolOf(b.Tool) + "."})
	}
	return all
}

func toolOf(tool string) string {
	if tool == "" {
		return ""
	}
	return " (" + tool + ")"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return countText(n) + " " + what + "s"
}

// bar is one phase in the waterfall of a capture, in parts of a thousand of its whole time.
type bar struct {
	Name        string
	MS          int64
	From, Width int64
}

// timed finds the phases in a Server-Timing header.
var timed = regexp.MustCompile(`([a-z]+);dur=(\d+)`)

// waterfall puts the phases of a Server-Timing header one behind another.
func waterfall(header string) []bar {
	var bars []bar
	var total int64
	for _, found := range timed.FindAllStringSubmatch(header, -1) {
		ms, err := strconv.ParseInt(found[2], 10, 64)
		if err != nil {
			return nil
		}
		bars = append(bars, bar{Name: found[1], MS: ms, From: total})
		total += ms
	}
	if total == 0 {
		return nil
	}
	for i, b := range bars {
		bars[i].From, bars[i].Width = b.From*1000/total, max(b.MS*1000/total, 2)
	}
	return bars
}

// phases are those of timings that an answer without the header has.
func phases(t savepage.Timing) []bar {
	return waterfall(fmt.Sprintf("queue;dur=%d, render;dur=%d", t.QueueMS, t.RenderMS))
}

// masked stands for the key in snippets.
const masked = "$SAVEPAGE_KEY"

// snippets are the same request in several languages.
func snippets(base string, options map[string]any, flags []string) []Snippet {
	body := jsonText(options)
	return []Snippet{
		{"curl", site.Request{URL: base + "/v1/capture", Key: masked, Body: body}.Curl()},
		{"Python", fmt.Sprintf(`import json, os, urllib.request

options = %s
request = urllib.request.Request(
    "%s/v1/capture",
    data=json.dumps(options).encode(),
    headers={"Authorization": "Bearer " + os.environ["SAVEPAGE_KEY"], "Content-Type": "application/json"},
)
print(json.load(urllib.request.urlopen(request))["image"])`, pythonText(options, ""), base)},
		{"JavaScript", fmt.Sprintf(`const options = %s;
const answer = await fetch("%s/v1/capture", {
  method: "POST",
  headers: { Authorization: "Bearer " + process.env.SAVEPAGE_KEY, "Content-Type": "application/json" },
  body: JSON.stringify(options),
});
console.log((await answer.json()).image);`, body, base)},
		{"Go", fmt.Sprintf(`// import "github.com/savepage/savepage" and "github.com/savepage/savepage/client"
var options savepage.Options
if err := json.Unmarshal([]byte(%s), &options); err != nil {
	log.Fatal(err)
}
done, err := client.New("%s", os.Getenv("SAVEPAGE_KEY"), nil).Capture(context.Background(), options)
if err != nil {
	log.Fatal(err)
}
fmt.Println(done.Image)`, goText(body), base)},
		{"PHP", fmt.Sprintf(`$options = %s;
$answer = file_get_contents('%s/v1/capture', false, stream_context_create(['http' => [
    'method' => 'POST',
    'header' => "Content-Type: application/json\r\nAuthorization: Bearer " . getenv('SAVEPAGE_KEY'),
    'content' => $options,
]]));
echo json_decode($answer)->image;`, "'"+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(body)+"'", base)},
		{"Command line", strings.Join(append([]string{"savepage", "capture"}, flags...), " ")},
	}
}

func goText(body string) string {
	if strings.Contains(body, "`") {
		return strconv.Quote(body)
	}
	return "`" + body + "`"
}
