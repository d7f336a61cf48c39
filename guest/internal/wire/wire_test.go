package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLinesOfAnyLength(t *testing.T) {
	long := strings.Repeat("x", MaxLine)
	input := "one\n\ntwo\r\n" + long + "\n" + long + "y\n" + strings.Repeat("z", 3*MaxLine) + "\nlast\nhalf"
	for name, reader := range map[string]io.Reader{
		"whole": strings.NewReader(input), "halves": iotest.HalfReader(strings.NewReader(input)),
	} {
		lines := NewLines(reader)
		for index, want := range []string{"one", "", "two", long, "!", "!", "last"} {
			line, tooLong, err := lines.Next()
			if err != nil || tooLong != (want == "!") || (!tooLong && string(line) != want) {
				t.Fatalf("%s: line %d: %d bytes, too long: %v, %v", name, index, len(line), tooLong, err)
			}
		}
		if _, _, err := lines.Next(); err != io.EOF {
			t.Fatalf("%s: half a line is given: %v", name, err)
		}
		if len(lines.buf) > MaxLine+firstBuffer {
			t.Fatalf("%s: a buffer of %d bytes", name, len(lines.buf))
		}
	}
}

func TestSplitAgreesWithTheLibrary(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	alphabet := []byte(`{}[]":,\ ab10.-truefalsn` + "\t\x00")
	for round := 0; round < 200_000; round++ {
		text := []byte(`{"a":{"b":["\\\"",1]},"c":"x\\","d":null}`)
		for changes := random.Intn(3); changes > 0; changes-- {
			text[random.Intn(len(text))] = alphabet[random.Intn(len(alphabet))]
		}
		members := map[string]json.RawMessage{}
		err := Split(text, func(name string, value []byte) error {
			members[name] = append([]byte(nil), value...)
			return nil
		})
		var real map[string]json.RawMessage
		if json.Unmarshal(text, &real) != nil {
			continue // what it lets through is refused by who reads the members
		}
		if err != nil {
			if bytes.Contains(text, []byte(`\`)) {
				continue
			}
			t.Fatalf("%s: refused", text)
		}
		for name, value := range real {
			if !bytes.Equal(members[name], value) {
				t.Fatalf("%s: %s is %s", text, name, members[name])
			}
		}
	}
}

func TestChunksGoBothWays(t *testing.T) {
	data := make([]byte, MaxChunk)
	rand.New(rand.NewSource(2)).Read(data)
	line := AnswerChunk(nil, []byte("7"), 5, data, true)
	var answer struct {
		Version string `json:"jsonrpc"`
		ID      int
		Result  struct {
			Offset int64
			EOF    bool `json:"eof"`
			Data   []byte
		}
	}
	if err := json.Unmarshal(line, &answer); err != nil || answer.ID != 7 || answer.Result.Offset != 5 ||
		!answer.Result.EOF || !bytes.Equal(answer.Result.Data, data) {
		t.Fatal("the answer cannot be read", err)
	}
	if len(line) > MaxLine {
		t.Fatal("too long for a line")
	}
	params, err := json.Marshal(map[string]any{"handle": 3, "offset": 9, "data": data})
	if err != nil {
		t.Fatal(err)
	}
	chunk, failure := ParseChunk(params, nil)
	if failure != nil || chunk.Handle != 3 || chunk.Offset != 9 || !bytes.Equal(chunk.Data, data) {
		t.Fatal("the chunk cannot be read", failure)
	}
	for _, bad := range []string{`{}`, `{"handle":1,"offset":2}`, `{"handle":1,"offset":-1,"data":""}`,
		`{"handle":1,"offset":1,"data":"*"}`, `{"handle":"1","offset":1,"data":""}`, `{"handle":1,"offset":1,"data":"","x":1}`} {
		if _, failure := ParseChunk([]byte(bad), nil); failure == nil || failure.Code != InvalidParams {
			t.Errorf("%s: %v", bad, failure)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		request, failure := ParseRequest(line)
		if failure == nil && request.ID != nil && !json.Valid(request.ID) {
			t.Fatalf("an id that is not JSON: %q", request.ID)
		}
		if line := AnswerError(request.ID, Fail(Failed, "x")); !json.Valid(line) {
			t.Fatalf("an answer that is not JSON: %q", line)
		}
	})
}
