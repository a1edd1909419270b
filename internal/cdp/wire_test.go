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
		m, err := s.next()
		if err != nil {
			return messages, err
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

func TestMessageTooLong(t *testing.T) {
	s := newSplitter(io.MultiReader(strings.NewReader("short\x00"), strings.NewReader(strings.Repeat("x", 5<<20))))
	s.most = 3 << 20
	if m, err := s.next(); err != nil || string(m) != "short" {
		t.Fatalf("got %q, %v", m, err)
	}
	if _, err := s.next(); !errors.Is(err, errTooLong) {
		t.Fatalf("got %v", err)
	}
	if s.length > s.most+spillBytes {
		t.Errorf("%d bytes were read before the end", s.length)
	}
}

func TestMessagesKeepTheirBytes(t *testing.T) {
	s := newSplitter(strings.NewReader("first\x00second\x00"))
	first, _ := s.next()
	if _, err := s.next(); err != nil {
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
