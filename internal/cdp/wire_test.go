package cdp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// split reads every message of a stream.
func split(from io.Reader) (messages []string, err error) {
	s := newSplitter(from)
	for {
		m, whole, err := s.next()
		if err != nil {
			return messages, err
		}
		if !whole {
			return messages, errors.New("a message was cut")
		}
		messages = append(messages, string(m))
	}
}

func FuzzSplitter(f *testing.F) {
	f.Add([]byte("a\x00bc\x00"), 0)
	f.Add([]byte("\x00\x00x"), 2)
	f.Add([]byte("abc"), 70000)
	f.Fuzz(func(t *testing.T, text []byte, stretch int) {
		if stretch < 0 || stretch > 3<<20 {
			return
		}
		// A long stretch leads through the pieces of a message that is longer than the buffer.
		stream := append(bytes.Repeat([]byte{'x'}, stretch), text...)
		parts := strings.Split(string(stream), "\x00")
		want, rest := parts[:len(parts)-1], parts[len(parts)-1]
		readers := []io.Reader{bytes.NewReader(stream), iotest.HalfReader(bytes.NewReader(stream)), iotest.DataErrReader(bytes.NewReader(stream))}
		if len(stream) < 1000 {
			readers = append(readers, iotest.OneByteReader(bytes.NewReader(stream)))
		}
		for i, from := range readers {
			got, err := split(from)
			if strings.Join(got, "\x00") != strings.Join(want, "\x00") || len(got) != len(want) {
				t.Fatalf("reader %d: %d messages, want %d", i, len(got), len(want))
			}
			if (rest == "") != errors.Is(err, io.EOF) || (rest != "") != errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("reader %d ends with %v after a rest of %d bytes", i, err, len(rest))
			}
		}
	})
}

// A message that is too long is passed over without being held, and what follows is read.
func TestMessageTooLong(t *testing.T) {
	long := func(begin string) string {
		return begin + strings.Repeat("x", 5<<20) + `\",\"sessionId\":\"other\"}"},"sessionId":"S"}` + "\x00"
	}
	s := newSplitter(iotest.HalfReader(strings.NewReader(
		"short\x00" + long(`{"method":"A.event","params":{"text":"`) + long(`{"id":7,"result":{"data":"`) + "next\x00")))
	s.maxEvent, s.maxAnswer = 2<<20, 3<<20
	read := func() (string, bool) {
		t.Helper()
		m, whole, err := s.next()
		if err != nil {
			t.Fatal(err)
		}
		return string(m), whole
	}
	if m, whole := read(); m != "short" || !whole {
		t.Errorf("got %q, %v", m, whole)
	}
	for _, want := range []string{"A.event", ""} {
		text, whole := read()
		m := parseEnds([]byte(text))
		if whole || len(text) > 3*endBytes+spillBytes || string(m.session) != "S" || string(m.method) != want || m.hasID != (want == "") {
			t.Errorf("%d bytes, whole %v: %+v", len(text), whole, m)
		}
		if m.hasID && m.id != 7 {
			t.Errorf("id is %d", m.id)
		}
		if cap(s.buf) > spillBytes || s.length != 0 {
			t.Errorf("a buffer of %d bytes, %d counted", cap(s.buf), s.length)
		}
	}
	if m, whole := read(); m != "next" || !whole {
		t.Errorf("got %q, %v", m, whole)
	}
}

func TestEndsOfStrangeMessages(t *testing.T) {
	for _, text := range []string{
		"", "{", `{"id":`, `{"id":x,"a":1}`, `{"method":"`, `,"sessionId":"`, `,"sessionId":"S"`, `,"sessionId":"S","x":1}`,
	} {
		if m := parseEnds([]byte(text)); m.hasID || len(m.session) > 0 {
			t.Errorf("%s: %+v", text, m)
		}
	}
}

func TestMessagesKeepTheirBytes(t *testing.T) {
	s := newSplitter(strings.NewReader("first\x00second\x00"))
	first, _, _ := s.next()
	if _, _, err := s.next(); err != nil {
		t.Fatal(err)
	}
	if string(first) != "first" {
		t.Errorf("the first message has become %q", first)
	}
}

func TestParse(t *testing.T) {
	m, err := parse([]byte(` {"id" : 7 , "result" : {"a":"\"}\\","b":[{}]} , "sessionId":"S" ,` +
		`"error":null,"method":"A.b","params":[1,"]"],"x":-1.5e3} `))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join([]string{string(m.session), string(m.method), string(m.params), string(m.result)}, " ")
	if want := `S A.b [1,"]"] {"a":"\"}\\","b":[{}]}`; got != want || m.id != 7 || !m.hasID {
		t.Errorf("got %s and id %d", got, m.id)
	}
	for _, broken := range []string{
		``, ` `, `7`, `[]`, `{`, `{"`, `{"id`, `{"id"`, `{"id":`, `{"id":1`, `{"id":1,`, `{"id":1,}`, `{id:1}`, `{"id" 1}`, `{"id":"1"}`,
		`{"id":1.5}`, `{"id":}`, `{"result":{"a":[}`, `{"result":"\"}`, `{"id":99999999999999999999}`, `{"a":1 "b":2}`,
	} {
		if _, err := parse([]byte(broken)); err == nil {
			t.Errorf("%q was taken", broken)
		}
	}
}

// FuzzParse compares with encoding/json wherever that takes the message.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":1,"result":{"data":"aGk="},"sessionId":"S"}`))
	f.Add([]byte(`{"method":"A.b","params":{"a":["\\\"",{"b":null}]}}`))
	f.Add([]byte(`{"id":2,"error":{"code":-32000,"message":"no"}}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		m, err := parse(bytes.Clone(message))
		if m.fault != nil {
			_ = decodeFault(bytes.Clone(m.fault))
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(message, &want) != nil || want == nil {
			return // only that it does not panic
		}
		if strings.Trim(string(want["id"]), "-0123456789") != "" || len(want["id"]) > 18 {
			return // ids that are no integers
		}
		for name := range want {
			if !bytes.Contains(message, []byte(`"`+name+`"`)) {
				return // a name with escapes, which the protocol does not have
			}
		}
		if err != nil {
			t.Fatalf("%q: %v", message, err)
		}
		if (want["id"] != nil) != m.hasID || !bytes.Equal(want["params"], m.params) || !bytes.Equal(want["result"], m.result) {
			t.Fatalf("%q: has id %v, params %q, result %q", message, m.hasID, m.params, m.result)
		}
	})
}

func FuzzPicture(f *testing.F) {
	f.Add([]byte(`{"data":"aGk="}`))
	f.Fuzz(func(_ *testing.T, result []byte) {
		if text, ok := picture(result); ok && bytes.IndexByte(text, '"') >= 0 {
			panic("a quote inside the text")
		}
	})
}
