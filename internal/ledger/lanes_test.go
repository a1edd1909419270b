package ledger

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/savepage/savepage"
)

// moody answers 500 to some letters and takes the others.
func moody(refused map[*letter]bool) func(*letter) (time.Duration, savepage.Attempt) {
	return func(l *letter) (time.Duration, savepage.Attempt) {
		if refused[l] {
			return says(500)(l)
		}
		return takes(2 * time.Millisecond)(l)
	}
}

// TestReceiverThatRefusesSomeGetsTheOthers owes a receiver what it cannot take before what it can.
func TestReceiverThatRefusesSomeGetsTheOthers(t *testing.T) {
	for _, bad := range []int{6, 25, 90} {
		synctest.Test(t, func(t *testing.T) {
			o := newOffice(t, limits)
			refused := map[*letter]bool{}
			o.answers["host"] = moody(refused)
			for _, one := range o.owe("a", "host", bad) {
				refused[one] = true
			}
			good := o.owe("a", "host", 3)
			defer o.run()()
			after(time.Second)
			for _, one := range good {
				equal(t, fmt.Sprintf("a good one behind %d bad ones", bad), savepage.Delivered, o.see(one).state)
			}
			// Later too, when all that were refused are due again and again.
			for range 60 {
				one := o.owe("a", "host", 1)[0]
				after(time.Second)
				equal(t, "a good one among refused ones", savepage.Delivered, o.see(one).state)
				after(17 * time.Second)
			}
			after(60 * time.Hour)
			equal(t, "letters that wait", 0, o.pending()) // each had its 13 attempts
		})
	}
}

// TestReceiverThatRefusesAllIsSpared has a receiver answer 500 to everything: after a hundred, each waits its turn.
func TestReceiverThatRefusesAllIsSpared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		failing := true
		o.answers["host"] = func(l *letter) (time.Duration, savepage.Attempt) {
			if failing {
				return says(500)(l)
			}
			return takes(time.Millisecond)(l)
		}
		all := o.owe("a", "host", 1000)
		defer o.run()()
		after(time.Second / 2)
		sent, _ := o.count(all)
		equal(t, "attempts at once", refusedInRow, sent)
		after(100 * time.Second)
		if sent, _ = o.count(all); sent < 195 || sent > 210 { // one a second, and the probes
			t.Errorf("%d attempts after 100 s", sent)
		}
		o.change(&failing, false)
		after(5 * time.Minute)
		_, delivered := o.count(all)
		equal(t, "delivered when it is well", 1000, delivered)
	})
}

// TestProbesAreOfWhatWasNeverTried has a receiver hang on some letters: what tries whether it is back is not always one of
// them.
func TestProbesAreOfWhatWasNeverTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		bad := map[*letter]bool{}
		o.answers["host"] = func(l *letter) (time.Duration, savepage.Attempt) {
			if bad[l] {
				return hangs(l)
			}
			return takes(time.Millisecond)(l)
		}
		for _, one := range o.owe("a", "host", 5) {
			bad[one] = true
		}
		good := o.owe("a", "host", 50)
		defer o.run()()
		after(2 * time.Minute)
		_, delivered := o.count(good)
		equal(t, "delivered beside those that hang", 50, delivered)
		// What hangs again and again takes no place from what is new.
		for range 20 {
			one := o.owe("a", "host", 1)[0]
			after(time.Second)
			equal(t, "a new one", savepage.Delivered, o.see(one).state)
			after(time.Minute)
		}
	})
}

// TestNeitherKindStarves has new letters keep a receiver busy: those that it refused once arrive meanwhile.
func TestNeitherKindStarves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		o.answers["host"] = func(l *letter) (time.Duration, savepage.Attempt) {
			if len(l.sent) == 1 && l.id < "a host 00010" {
				return says(404)(l)
			}
			return takes(20 * time.Millisecond)(l)
		}
		once := o.owe("a", "host", 10)
		o.owe("a", "host", 5000) // for 25 s
		defer o.run()()
		after(8 * time.Second)
		_, delivered := o.count(once)
		equal(t, "delivered of those that were refused once", 10, delivered)
	})
}

// TestHangingReceiversDelayNoLiveOne owes to a thousand receivers that hang, and then to live ones of the same account and
// of another, known ones and new ones.
func TestHangingReceiversDelayNoLiveOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, Limits{Workers: 4096, PerHost: 4})
		o.answers["known"], o.answers["other"] = takes(10*time.Millisecond), takes(10*time.Millisecond)
		o.owe("a", "known", 1)
		stop := o.run()
		defer stop()
		after(time.Second)
		for i := range 1000 {
			host := fmt.Sprintf("hangs%d", i)
			o.script(host, hangs)
			o.owe("a", host, 3)
		}
		for i := range 40 {
			host := fmt.Sprintf("new%d", i)
			o.script(host, takes(10*time.Millisecond))
			live := []*letter{o.owe("a", "known", 1)[0], o.owe("a", host, 1)[0], o.owe("b", "other", 1)[0]}
			after(time.Second)
			for _, one := range live {
				if seen := o.see(one); seen.state != savepage.Delivered {
					t.Fatalf("%s is %s after a second, sent %v", one.id, seen.state, seen.sent)
				}
			}
		}
	})
}

// TestPlacesAreDivided has accounts owe to more receivers that hang than there are places: a known one of theirs and any of
// another account find room.
func TestPlacesAreDivided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, limits)
		o.answers["known"], o.answers["other"] = takes(10*time.Millisecond), takes(10*time.Millisecond)
		for _, account := range []string{"a", "b", "c"} {
			o.owe(account, "known", 1)
		}
		defer o.run()()
		after(time.Second)
		for _, account := range []string{"a", "b", "c"} {
			for i := range 500 {
				host := fmt.Sprintf("hangs%s%d", account, i)
				o.script(host, hangs)
				o.owe(account, host, 1)
			}
		}
		for range 200 {
			live := []*letter{o.owe("a", "known", 1)[0], o.owe("b", "known", 1)[0], o.owe("d", "other", 1)[0]}
			after(time.Second)
			for _, one := range live {
				if seen := o.see(one); seen.state != savepage.Delivered {
					t.Fatalf("%s is %s after a second, sent %v; %+v", one.id, seen.state, seen.sent, o.lanes.Stats())
				}
			}
		}
	})
}

// TestSentAgainWhileOnItsWay asks for a letter once more while it is being sent: it is sent again, whatever becomes of the
// first.
func TestSentAgainWhileOnItsWay(t *testing.T) {
	for name, first := range map[string]savepage.Attempt{
		"it arrives": {Outcome: savepage.AttemptDelivered, Status: 200},
		"it fails":   {Outcome: savepage.AttemptStatus, Status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t, limits)
				o.answers["host"] = func(l *letter) (time.Duration, savepage.Attempt) {
					if len(l.sent) == 1 {
						return 10 * time.Second, first
					}
					return takes(time.Millisecond)(l)
				}
				one := o.owe("a", "host", 1)[0]
				defer o.run()()
				after(time.Second)
				o.urge(one)
				o.urge(one)
				after(10 * time.Second)
				seen := o.see(one)
				equal(t, "attempts", 2, len(seen.sent))
				equal(t, "state", savepage.Delivered, seen.state)
				after(time.Hour)
				equal(t, "attempts later", 2, len(o.see(one).sent))
			})
		})
	}
}

// TestFewAreReadAtOnce has a hundred receivers that nobody has heard of due together: a few of their deliveries are read at
// once, and one to a prompt receiver beside them.
func TestFewAreReadAtOnce(t *testing.T) {
	l, now := NewLanes(Limits{Workers: 4096, PerHost: 4}), time.Now()
	next := func() (sent []step) {
		for {
			s, _, found := l.take(now)
			switch {
			case !found:
				return sent
			case s.id == "":
				l.read(s, []string{s.Host}, time.Time{})
			default:
				sent = append(sent, s)
			}
		}
	}
	l.Note(Receiver{"a", "prompt"}, Fresh, now)
	one := next()[0]
	l.loaded(one)
	l.answered(one, &Sent{Verdict: savepage.Verdict{Attempt: savepage.Attempt{Outcome: savepage.AttemptDelivered}}}, now)
	l.recorded(one, time.Time{}, now)
	for i := range 100 {
		l.Note(Receiver{"a", strconv.Itoa(i)}, Fresh, now)
	}
	begun := next()
	equal(t, "read at once", loadedAtOnce, len(begun))
	l.Note(Receiver{"a", "prompt"}, Fresh, now)
	beside := next()
	if len(beside) != 1 || beside[0].Host != "prompt" {
		t.Errorf("beside them %d are read", len(beside))
	}
	l.loaded(begun[0])
	equal(t, "after one was read", 1, len(next()))
}
