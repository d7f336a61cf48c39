package wire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"
)

// Request is what the host asks for. Its slices are the line's own: they are good until the next line is read.
type Request struct {
	// ID as it came; nil for a notification.
	ID     []byte
	Method string
	// Params as they came; nil when there were none.
	Params []byte
}

// ParseRequest reads a line. On failure the id is in the request when it could be read, as JSON-RPC has it.
func ParseRequest(line []byte) (Request, *Error) {
	var request Request
	var version string
	seen := map[string]bool{}
	err := Split(line, func(name string, value []byte) error {
		if seen[name] {
			return errShape
		}
		seen[name] = true
		switch name {
		case "jsonrpc":
			return json.Unmarshal(value, &version)
		case "id":
			if !validID(value) {
				return errShape
			}
			request.ID = value
		case "method":
			return json.Unmarshal(value, &request.Method)
		case "params":
			if value[0] != '{' {
				return errShape
			}
			request.Params = value
		default:
			return errShape
		}
		return nil
	})
	if err != nil || version != "2.0" || request.Method == "" || len(request.Method) > 64 {
		if !utf8.Valid(line) || !json.Valid(line) {
			return Request{}, Fail(ParseError, "the line is not JSON")
		}
		return Request{ID: request.ID}, Fail(InvalidRequest, "the line is not a JSON-RPC 2.0 request of this protocol")
	}
	return request, nil
}

// validID accepts whole numbers that JavaScript holds exactly, and short strings.
func validID(value []byte) bool {
	if len(value) > MaxID {
		return false
	}
	if value[0] == '"' {
		var text string
		return json.Unmarshal(value, &text) == nil
	}
	number, err := strconv.ParseInt(string(value), 10, 64)
	return err == nil && number >= 0 && number <= 1<<53-1 && strconv.FormatInt(number, 10) == string(value)
}

// idOr gives the id of an answer: null where the request's could not be read.
func idOr(id []byte) json.RawMessage {
	if id == nil {
		return json.RawMessage("null")
	}
	return id
}

// Answer is the line for a result, its end included.
func Answer(id []byte, result any) ([]byte, *Error) {
	line, err := json.Marshal(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  any             `json:"result"`
	}{"2.0", idOr(id), result})
	if err != nil {
		return nil, Fail(InternalError, err.Error())
	}
	if len(line) > MaxLine {
		return nil, Fail(TooLarge, "the answer is too long for one line: ask for less at a time")
	}
	return append(line, '\n'), nil
}

// AnswerError is the line for an error, its end included.
func AnswerError(id []byte, failure *Error) []byte {
	line, err := json.Marshal(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   *Error          `json:"error"`
	}{"2.0", idOr(id), failure})
	if err != nil {
		panic(err) // an id that is JSON, a number and a text
	}
	return append(line, '\n')
}

// Notification is the line for a message without an answer, its end included.
func Notification(method string, params any) []byte {
	line, err := json.Marshal(struct {
		Version string `json:"jsonrpc"`
		Method  string `json:"method"`
		Params  any    `json:"params"`
	}{"2.0", method, params})
	if err != nil {
		panic(err) // made of our own types
	}
	return append(line, '\n')
}

// AnswerChunk is Answer for a part of a file, written into `line` without going over the data more than once.
func AnswerChunk(line []byte, id []byte, offset int64, data []byte, eof bool) []byte {
	line = append(line[:0], `{"jsonrpc":"2.0","id":`...)
	line = append(line, idOr(id)...)
	line = append(line, `,"result":{"offset":`...)
	line = strconv.AppendInt(line, offset, 10)
	line = append(line, `,"eof":`...)
	line = strconv.AppendBool(line, eof)
	line = append(line, `,"data":"`...)
	from, size := len(line), base64.StdEncoding.EncodedLen(len(data))
	if cap(line) < from+size+8 {
		line = append(make([]byte, 0, from+size+8), line...)
	}
	line = line[:from+size]
	base64.StdEncoding.Encode(line[from:], data)
	return append(line, "\"}}\n"...)
}

// Chunk is what chunk_write brings.
type Chunk struct {
	Handle int64
	Offset int64
	Data   []byte
}

// ParseChunk reads the parameters of chunk_write; the data is decoded into `buffer` where it has room.
func ParseChunk(params []byte, buffer []byte) (Chunk, *Error) {
	chunk := Chunk{Handle: -1, Offset: -1}
	hasData := false
	err := Split(params, func(name string, value []byte) error {
		switch name {
		case "handle":
			return json.Unmarshal(value, &chunk.Handle)
		case "offset":
			return json.Unmarshal(value, &chunk.Offset)
		case "data":
			data, err := decodeBase64(value, buffer)
			chunk.Data, hasData = data, true
			return err
		}
		return errShape
	})
	if err != nil || chunk.Handle < 0 || chunk.Offset < 0 || !hasData {
		return Chunk{}, Fail(InvalidParams, "chunk_write takes handle, offset and data, which is base64")
	}
	if len(chunk.Data) > MaxChunk {
		return Chunk{}, Fail(TooLarge, "a chunk has at most 262144 bytes")
	}
	return chunk, nil
}

func decodeBase64(value, buffer []byte) ([]byte, error) {
	if len(value) < 2 || value[0] != '"' {
		return nil, errors.New("no string")
	}
	text := value[1 : len(value)-1]
	size := base64.StdEncoding.DecodedLen(len(text))
	if cap(buffer) < size {
		buffer = make([]byte, size)
	}
	count, err := base64.StdEncoding.Decode(buffer[:size], text)
	return buffer[:count], err
}
