package dash

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
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
	var bad, warn []remark
	if r.HTTPStatus >= 400 {
		bad = append(bad, remark{"bad", "The page answered " + strconv.Itoa(r.HTTPStatus) + ".", "Look whether the address is right, or whether the " +
			"page wants a cookie or a header. fail_on: 4xx makes such captures fail.", nil})
	}
	if r.Blank {
		bad = append(bad, remark{"bad", "Every pixel has one colour.", "Wait for something that is always there: wait_for_selector.", nil})
	}
	if r.Partial {
		bad = append(bad, remark{"bad", "Something was missing when the picture was taken.", "A longer timeout or a delay may help.", r.Reasons})
	}
	if r.Truncated {
		bad = append(bad, remark{"bad", "The page is larger than the picture.", "A larger max_height, or several pictures with clip.", nil})
	}
	if n := r.Requests.Failed; n > 0 {
		warn = append(warn, remark{"warn", plural(n, "request") + " failed.", "Often analytics; if it is a font or a style, the page looks " +
			"otherwise than usual.", r.Requests.Named})
	}
	if n := r.Requests.Blocked; n > 0 {
		warn = append(warn, remark{"warn", plural(n, "request") + " blocked.", "By your options, or because the address is not public.", nil})
	}
	if n := r.Requests.Pending; n > 0 {
		warn = append(warn, remark{"warn", plural(n, "request") + " had not ended.", "wait_until: networkidle waits for them.", nil})
	}
	if n := r.Fonts.Missing; n > 0 {
		warn = append(warn, remark{"warn", plural(n, "character") + " without a font.", "Install a font for the script on the server.", r.Fonts.Named})
	}
	if n := r.Console.Errors; n > 0 {
		warn = append(warn, remark{"warn", plural(n, "error") + " in the page's console.", "", r.Console.Texts})
	}
	if n := r.Dialogs; n > 0 {
		warn = append(warn, remark{"warn", plural(n, "dialog") + " dismissed.", "", nil})
	}
	if b := r.CookieBanner; b != nil && b.Outcome != savepage.BannerNone {
		warn = append(warn, remark{"ok", "A cookie banner was " + string(b.Outcome) + toolOf(b.Tool) + ".", "", nil})
	}
	all := append(bad, warn...)
	if len(bad) == 0 && len(warn) == 0 {
		return []remark{{"ok", "Everything that the page asked for came.", "", nil}}
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

// snippet is a request in one language.
type snippet struct{ Name, Text string }

// masked stands for the key in snippets.
const masked = "$SAVEPAGE_KEY"

// snippets are the same request in several languages.
func snippets(base string, options map[string]any, flags []string) []snippet {
	body := jsonText(options)
	return []snippet{
		{"curl", fmt.Sprintf("curl %s/v1/capture \\\n  -H \"Authorization: Bearer %s\" \\\n  --json %s", base, masked, shellQuoted(body))},
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
