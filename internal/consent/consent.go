// Package consent holds DuckDuckGo's autoconsent, which finds the consent tool of a page and rejects in it, and speaks its
// language: what it is given and what it says. It owns the vendored script and rules, the look that decides where they are
// needed, and the frame around them. It runs nothing itself and never asks autoconsent to accept anything.
package consent

import (
	_ "embed" // for autoconsent
	"encoding/json"
	"fmt"
	"maps"
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

//go:embed look.js
var look string

//go:embed sweep.js
var sweep string

// The functions that the scripts say their messages to: our look at a document, and autoconsent. Each has to be there
// before its script runs, in its world and in no other.
const (
	LookBinding = "savepageLook"
	Binding     = "savepageConsent"
)

// Look is what runs in every new document: it says when there is something that autoconsent could know, and hides what is
// left of banners when it is told to.
func (r *Rules) Look() string { return r.look }

// Script is autoconsent. It runs in a world of its own, in documents that are suspect.
func Script() string {
	return fmt.Sprintf("(%s)(%s); %s", frame, Binding, autoconsent)
}

// Expressions that Look's script answers in its world, if it has begun there.
const (
	// Looks is whether there is anything to hide. The document says before whether it is suspect.
	Looks = "globalThis.savepageBanner ? savepageBanner.look() : false"
	// Sweeps hides what banners are left. Its value is how many.
	Sweeps = "globalThis.savepageBanner ? savepageBanner.sweep() : 0"
)

// Globals is an expression for the page's own world: whether a tool is there that autoconsent knows by nothing else.
const Globals = "(() => { try { return !!window.Cookiebot || " +
	"typeof window.__cmp === 'function' && !!window.__cmp('getCMPData') } catch { return false } })()"

// Message is one thing that the script says.
type Message struct {
	Type string `json:"type"`

	URL  string `json:"url"`  // of document and init: the document
	Main bool   `json:"main"` // of document and init: it is not a frame

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
	Document = "document" // there is a new one
	Suspect  = "suspect"  // it has something that autoconsent could know

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
	return fmt.Sprintf(`autoconsentReceiveMessage({type:"initResp",config:{enabled:true,autoAction:"optOut",disabledCmps:[],`+
		`enablePrehide:false,enableCosmeticRules:true,enableGeneratedRules:true,detectRetries:60,isMainWorld:false,heuristicMode:"reject",`+
		`logs:{errors:false}},rules:{autoconsent:[],compact:%s}})`, r.choose(url, main))
}

// Answer is the expression that answers an Eval.
func Answer(id string, result bool) string {
	return fmt.Sprintf(`autoconsentReceiveMessage({type:"evalResp",id:%s,result:%v})`, quoted(id), result)
}

// quoted is a text or a list of texts, which can always be marshalled, in the scripts' language.
func quoted(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
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

	framed *regexp.Regexp
	look   string
	names  map[string]string // right ones of rules that are called after another tool
}

// Load reads the rules, which takes some milliseconds. Keep them. css is a style sheet that hides banners, and selectors
// are its own one by one. An error means that the program itself is broken.
func Load(css string, selectors []string) (*Rules, error) {
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
	err := json.Unmarshal(compactRules, &file)
	if err != nil {
		return nil, fmt.Errorf("read the rules of autoconsent: %w", err)
	}
	var texts []json.RawMessage
	if err := json.Unmarshal(file.S, &texts); err != nil {
		return nil, fmt.Errorf("read the texts of autoconsent's rules: %w", err)
	}
	if n, m := len(file.R), len(texts); file.Index.Specific[1] > n || file.Index.Generic[1] > n || file.Index.Frame[1] > n ||
		file.Index.GenericEnd > m || file.Index.FrameEnd > m {
		return nil, fmt.Errorf("the index of autoconsent's rules does not fit its %d rules and %d texts", n, m)
	}
	r := &Rules{version: file.V, texts: file.S, all: file.R, from: file.Index.Generic, framed: framed()}
	for i := file.Index.Frame[0]; i < file.Index.Frame[1]; i++ {
		if one := pattern(file.R[i]); one != nil {
			one.at = i
			r.inside = append(r.inside, *one)
			continue
		}
		r.within = append(r.within, i)
	}
	for i := file.Index.Specific[0]; i < file.Index.Specific[1]; i++ {
		if one := pattern(file.R[i]); one != nil {
			one.at = i
			r.pages = append(r.pages, *one)
		}
	}
	r.general = r.bundle(list(texts[:file.Index.GenericEnd]), file.R[r.from[0]:r.from[1]])
	r.frames = r.bundle(list(texts[:file.Index.FrameEnd]), r.picked(r.within))
	marks, err := marksOf(texts, r.all[r.from[0]:r.from[1]])
	if err != nil {
		return nil, err
	}
	r.names = namesOf(texts, r.all[r.from[0]:r.from[1]])
	for _, tool := range slices.Sorted(maps.Keys(coded())) {
		marks = append(marks, coded()[tool]...)
	}
	inside, err := marksOf(texts, r.picked(r.within))
	if err != nil {
		return nil, err
	}
	r.look = fmt.Sprintf("(%s)(%s,%s,%s,%s,(%s)(%s))", look, LookBinding, quoted(marks), quoted(inside), quoted(selectors), sweep, quoted(css))
	return r, nil
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
		if one.matches(url) {
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
