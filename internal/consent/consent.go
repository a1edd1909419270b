// Package consent holds DuckDuckGo's autoconsent, which finds the consent tool of a page and rejects in it, and speaks its
// language: what it is given and what it says. It owns the vendored script and rules and the frame around them. It runs
// nothing itself and never asks autoconsent to accept anything.
package consent

import (
	_ "embed" // for autoconsent
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:embed autoconsent/autoconsent.playwright.js
var autoconsent string

//go:embed autoconsent/compact-rules.json
var compactRules []byte

//go:embed frame.js
var frame string

//go:embed sweep.js
var sweep string

// Binding is the function that the script says its messages to. It has to be there before the script runs, in its world
// and in no other.
const Binding = "savepageConsent"

// Script is what runs in every new document, in a world of its own. In frames of frames no tool shows its banner.
func Script() string {
	return fmt.Sprintf("if (location.protocol.startsWith('http') && window.parent === window.top) { (%s)(%s); globalThis.savepageSweep = %s; %s }", frame, Binding, sweep, autoconsent)
}

// Message is one thing that the script says.
type Message struct {
	Type string `json:"type"`

	URL  string `json:"url"`  // of init: the document
	Main bool   `json:"main"` // of init: it is no frame

	ID   string `json:"id"`   // of eval: names the answer
	Code string `json:"code"` // of eval: to be run in the page's own world

	Lifecycle string `json:"lifecycle"` // of state: how far it is; see autoconsent's types
	Attempts  int    `json:"attempts"`  // of state: how often it has looked for a tool
	Resting   bool   `json:"resting"`   // of state: it has found nothing and waits for the page to change
	Clicks    int    `json:"clicks"`    // of state: how often it has clicked

	Tool     string `json:"cmp"`        // of found and done: the tool's name
	Cosmetic bool   `json:"isCosmetic"` // of done: the tool was only hidden
}

// The kinds of messages that matter.
const (
	Init  = "init"
	Eval  = "eval"
	State = "state"
	Found = "popupFound"
	Done  = "autoconsentDone"
)

// Read reads a message.
func Read(payload string) (Message, error) {
	var m Message
	if err := json.Unmarshal([]byte(payload), &m); err != nil {
		return m, fmt.Errorf("read a message of autoconsent: %w", err)
	}
	return m, nil
}

// Begin is the expression that answers an Init: the configuration, and the rules that may hold for the document.
// Nothing is accepted: where a banner offers no rejection it is left alone.
func (r *Rules) Begin(url string, main bool) string {
	return fmt.Sprintf(`autoconsentReceiveMessage({type:"initResp",config:{enabled:true,autoAction:"optOut",disabledCmps:[],enablePrehide:false,`+
		`enableCosmeticRules:true,enableGeneratedRules:true,detectRetries:60,isMainWorld:false,heuristicMode:"reject",`+
		`logs:{errors:false}},rules:{autoconsent:[],compact:%s}})`, r.choose(url, main))
}

// Answer is the expression that answers an Eval.
func Answer(id string, result bool) string {
	quoted, _ := json.Marshal(id) // a text can always be marshalled
	return fmt.Sprintf(`autoconsentReceiveMessage({type:"evalResp",id:%s,result:%v})`, quoted, result)
}

// Sweep is the expression that hides what banners are left, with a style sheet and by what is looked for on the page. Its
// value is how many it has hidden.
func Sweep(css string) string {
	quoted, _ := json.Marshal(css) // a text can always be marshalled
	return fmt.Sprintf("globalThis.savepageSweep ? savepageSweep(%s) : 0", quoted)
}

// Rules are autoconsent's rules, ready to be chosen from. They never change and are safe for concurrent use.
type Rules struct {
	version int
	texts   json.RawMessage
	general string // for pages that no special rule names
	frames  string // for frames that no special rule names
	pages   []special
	inside  []special
	all     []json.RawMessage
	from    [2]int // the rules for every page
	within  []int  // the rules for every frame
}

// special is a rule for some pages.
type special struct {
	at    int
	match *regexp.Regexp
}

// Load reads the rules, which takes some milliseconds. Keep them. The error says that the program itself is broken.
func Load() (*Rules, error) {
	var file struct {
		V     int               `json:"v"`
		S     json.RawMessage   `json:"s"`
		R     []json.RawMessage `json:"r"`
		Index struct {
			Generic    [2]int `json:"genericRuleRange"`
			Frame      [2]int `json:"frameRuleRange"`
			Specific   [2]int `json:"specificRuleRange"`
			GenericEnd int    `json:"genericStringEnd"`
			FrameEnd   int    `json:"frameStringEnd"`
		} `json:"index"`
	}
	if err := json.Unmarshal(compactRules, &file); err != nil {
		return nil, fmt.Errorf("read the rules of autoconsent: %w", err)
	}
	var texts []json.RawMessage
	if err := json.Unmarshal(file.S, &texts); err != nil {
		return nil, fmt.Errorf("read the texts of autoconsent's rules: %w", err)
	}
	if n, m := len(file.R), len(texts); file.Index.Specific[1] > n || file.Index.Generic[1] > n || file.Index.Frame[1] > n || file.Index.GenericEnd > m || file.Index.FrameEnd > m {
		return nil, fmt.Errorf("the index of autoconsent's rules does not fit its %d rules and %d texts", n, m)
	}
	r := &Rules{version: file.V, texts: file.S, all: file.R, from: file.Index.Generic}
	for i := file.Index.Frame[0]; i < file.Index.Frame[1]; i++ {
		if match := pattern(file.R[i]); match != nil {
			r.inside = append(r.inside, special{i, match})
			continue
		}
		r.within = append(r.within, i)
	}
	for i := file.Index.Specific[0]; i < file.Index.Specific[1]; i++ {
		if match := pattern(file.R[i]); match != nil {
			r.pages = append(r.pages, special{i, match})
		}
	}
	r.general = r.bundle(list(texts[:file.Index.GenericEnd]), file.R[r.from[0]:r.from[1]])
	r.frames = r.bundle(list(texts[:file.Index.FrameEnd]), r.picked(r.within))
	return r, nil
}

// pattern is the expression for the addresses that a rule is meant for; nil when it is meant for all, or can not be read.
func pattern(rule json.RawMessage) *regexp.Regexp {
	var fields []json.RawMessage
	var text string
	if json.Unmarshal(rule, &fields) != nil || len(fields) < 4 || json.Unmarshal(fields[3], &text) != nil || text == "" {
		return nil
	}
	match, err := regexp.Compile(text)
	if err != nil {
		return nil
	}
	return match
}

func (r *Rules) picked(at []int) []json.RawMessage {
	var rules []json.RawMessage
	for _, i := range at {
		rules = append(rules, r.all[i])
	}
	return rules
}

// choose returns the rules that may hold for a document, as the script takes them.
func (r *Rules) choose(url string, main bool) string {
	among, otherwise, base := r.pages, r.general, r.all[r.from[0]:r.from[1]]
	if !main {
		among, otherwise, base = r.inside, r.frames, r.picked(r.within)
	}
	var named []json.RawMessage
	for _, one := range among {
		if one.match.MatchString(url) {
			named = append(named, r.all[one.at])
		}
	}
	if len(named) == 0 {
		return otherwise
	}
	return r.bundle(r.texts, append(slices.Clip(base), named...))
}

func (r *Rules) bundle(texts json.RawMessage, rules []json.RawMessage) string {
	return fmt.Sprintf(`{"v":%d,"s":%s,"r":%s}`, r.version, texts, list(rules))
}

func list(of []json.RawMessage) json.RawMessage {
	parts := make([]string, len(of))
	for i, one := range of {
		parts[i] = string(one)
	}
	return json.RawMessage("[" + strings.Join(parts, ",") + "]")
}
