package traffic

import (
	"testing"
	"time"
)

// asks plays a script that asks for the same: each question is asked after a pause since the answer before and answered after
// a time. It returns how many questions in a row were work.
func asks(n int, pause, takes time.Duration, working bool) (work int) {
	var s series
	now := time.Now()
	for range n {
		if s.ask(now, working) {
			return work
		}
		work++
		s.answer(now, now.Add(takes))
		now = now.Add(takes + pause)
	}
	return work
}

func TestPollsAreToldFromWork(t *testing.T) {
	for name, c := range map[string]struct {
		n            int
		pause, takes time.Duration
		working      bool
		least, most  int
	}{
		"one after the other":              {20, time.Millisecond, 100 * time.Millisecond, false, 20, 20},
		"slowly, one after the other":      {10, time.Millisecond, 450 * time.Millisecond, false, 10, 10},
		"a timer's poll":                   {20, 200 * time.Millisecond, 20 * time.Millisecond, false, maxAsked, maxAsked},
		"a slow timer's poll":              {20, 3 * time.Second, 20 * time.Millisecond, false, maxAsked, maxAsked},
		"a poll that brings rows":          {20, 200 * time.Millisecond, 20 * time.Millisecond, true, 20, 20},
		"a poll without pauses":            {500, 0, 10 * time.Millisecond, false, 10, maxChained},
		"a poll that is held for a second": {500, 0, time.Second, false, 3, 8},
	} {
		if work := asks(c.n, c.pause, c.takes, c.working); work < c.least || work > c.most {
			t.Errorf("%s: %d questions are work, want %d to %d", name, work, c.least, c.most)
		}
	}
}

func TestQuestionsInOneGoAreOne(t *testing.T) {
	var s series
	now := time.Now()
	for i := range 12 {
		if s.ask(now.Add(time.Duration(i)*30*time.Millisecond), false) {
			t.Fatalf("question %d of one go is a poll", i)
		}
	}
}

// What a server holds open is told by what it has answered before.
func TestHeldIsToldFromSlow(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		took, silent time.Duration
		before       bool
		held         bool
	}{
		"asked for the first time": {0, 4 * time.Second, false, false},
		"quick before":             {20 * time.Millisecond, 1100 * time.Millisecond, true, true},
		"quick before, not long":   {20 * time.Millisecond, 900 * time.Millisecond, true, false},
		"slow before":              {1500 * time.Millisecond, 4 * time.Second, true, false},
	} {
		s := &series{}
		if c.before {
			s.ask(now, false)
			s.answer(now, now.Add(c.took))
		}
		s.ask(now.Add(c.took), false)
		q := &request{kind: "Fetch", begun: now, moved: now, of: s}
		if held := !q.waits(now.Add(c.silent), time.Minute, false); held != c.held {
			t.Errorf("%s: held is %v", name, held)
		}
		if !q.waits(now.Add(c.silent), time.Minute, true) {
			t.Errorf("%s: not waited for although the page shows that it loads", name)
		}
	}
}

func TestMarksOfQuestions(t *testing.T) {
	now := time.UnixMilli(1_795_000_000_123)
	for a, b := range map[string]string{
		"GET http://h/x?_=1795000000001 ":         "GET http://h/x?_=1794999999001 ",
		"GET http://h/x?r=0.123456789 ":           "GET http://h/x?r=0.987654321 ",
		`POST http://h/x {"at":1795000000,"a":1}`: `POST http://h/x {"at":1795000007,"a":1}`,
	} {
		if plain(a, now) != plain(b, now) {
			t.Errorf("%s is another question than %s", a, b)
		}
	}
	for a, b := range map[string]string{
		"GET http://h/x?page=1 ":                "GET http://h/x?page=2 ",
		"GET http://h/isbn/9783161484100 ":      "GET http://h/isbn/9780306406157 ",
		`POST http://h/graphql {"query":"{a}"}`: `POST http://h/graphql {"query":"{b}"}`,
	} {
		if plain(a, now) == plain(b, now) {
			t.Errorf("%s is the same question as %s", a, b)
		}
	}
	if endpoint("GET", "http://h/s?EIO=4&t=PcA1x2&sid=a8Fk33q") != endpoint("GET", "http://h/s?EIO=4&t=PcA1y9&sid=a8Fk33q") {
		t.Error("marks make another endpoint")
	}
	if endpoint("GET", "http://h/s?page=1") == endpoint("GET", "http://h/s?page=2") {
		t.Error("pages are one endpoint")
	}
}

func TestNamesOfPolls(t *testing.T) {
	for name, want := range map[string]bool{
		"poll": true, "doPoll": true, "longPoll": true, "startPolling": true, "_poll": true, "polling": true, "t.poll": true,
		"apollo": false, "ApolloClient.query": false, "pollute": false, "Pollen": false, "load": false, "": false,
	} {
		if got := pollName.MatchString(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	for address, want := range map[string]bool{
		"http://h/poll": true, "http://h/api/longpoll?x=1": true, "http://h/x?transport=polling": true, "http://h/x?wait=30": true,
		"http://h/polls/4": false, "http://h/map?lat=1&long=2": false, "http://h/apollo": false, "http://h/x?wait=yes": false,
	} {
		if got := polls.MatchString(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}

func TestReadRefresh(t *testing.T) {
	for text, want := range map[string]refresh{
		"0": {}, "2; url=/x": {2 * time.Second, "/x"}, "1;URL='/y z'": {time.Second, "/y z"},
		" 1.9 , url = http://h/": {time.Second, "http://h/"},
		"5 /next":                {5 * time.Second, "/next"}, "1;url": {time.Second, "url"}, ".5; url=a": {0, "a"},
	} {
		if got, says := readRefresh(text); !says || got != want {
			t.Errorf("%q: %+v, %v, want %+v", text, got, says, want)
		}
	}
	for _, text := range []string{"", "soon", "url=/x", "-1"} {
		if got, says := readRefresh(text); says {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// TestLateLook has the page looked at only when it has asked again: what came of the answers before is seen then, in the first look.
func TestLateLook(t *testing.T) {
	now := time.Now()
	again := func() *series {
		var s series
		for range maxAsked + 1 {
			now = now.Add(time.Second)
			s.ask(now, false)
			s.answer(now, now.Add(20*time.Millisecond))
		}
		if !s.polls {
			t.Fatal("a timer's poll is none")
		}
		return &s
	}
	if s := again(); s.judge(now.Add(time.Millisecond), true) {
		t.Error("a poll although the page grew")
	}
	if s := again(); !s.judge(now.Add(-time.Millisecond), false) || s.judge(now.Add(time.Millisecond), true) {
		t.Error("a poll although the page grew: the look before it was asked for sooner than the question")
	}
	if s := again(); !s.judge(now.Add(time.Millisecond), false) || !s.judge(now.Add(time.Second), true) {
		t.Error("no poll, because the page grew later")
	}
	if s := again(); s.goesOn(now) || s.goesOn(time.Time{}) || !s.goesOn(time.Unix(0, 0)) {
		t.Error("what a timer asks, or nobody knows of, comes of no answer; what none asks does")
	}
	if s := again(); s.judge(now.Add(time.Millisecond), true) || !s.ask(now.Add(time.Second), false) {
		t.Error("the next question is not judged by itself")
	}
}
