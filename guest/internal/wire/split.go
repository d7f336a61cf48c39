package wire

import (
	"bytes"
	"encoding/json"
	"errors"
)

var errShape = errors.New("not a flat JSON object")

// Split gives the members of a JSON object without looking into them: a chunk of a file, which is nearly the whole line, is
// so gone over once instead of four times. What the members hold is judged by who reads them; a name with an escape in it
// is refused, as none of the protocol's has one.
func Split(object []byte, member func(name string, value []byte) error) error {
	at := skipSpace(object, 0)
	if at >= len(object) || object[at] != '{' {
		return errShape
	}
	at = skipSpace(object, at+1)
	if at < len(object) && object[at] == '}' {
		return endAfter(object, at+1)
	}
	for {
		nameEnd, err := skipString(object, at)
		if err != nil {
			return err
		}
		name := object[at+1 : nameEnd-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			return errShape
		}
		at = skipSpace(object, nameEnd)
		if at >= len(object) || object[at] != ':' {
			return errShape
		}
		at = skipSpace(object, at+1)
		valueEnd, err := skipValue(object, at)
		if err != nil {
			return err
		}
		if err := member(string(name), object[at:valueEnd]); err != nil {
			return err
		}
		at = skipSpace(object, valueEnd)
		if at >= len(object) {
			return errShape
		}
		switch object[at] {
		case ',':
			at = skipSpace(object, at+1)
		case '}':
			return endAfter(object, at+1)
		default:
			return errShape
		}
	}
}

func endAfter(text []byte, at int) error {
	if skipSpace(text, at) != len(text) {
		return errShape
	}
	return nil
}

func skipSpace(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n') {
		at++
	}
	return at
}

// skipString gives the place after a string that begins at a place.
func skipString(text []byte, at int) (int, error) {
	if at >= len(text) || text[at] != '"' {
		return 0, errShape
	}
	for from := at + 1; ; {
		quote := bytes.IndexByte(text[from:], '"')
		if quote < 0 {
			return 0, errShape
		}
		end, slashes := from+quote, 0
		for end-1-slashes > at && text[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return end + 1, nil
		}
		from = end + 1
	}
}

// skipValue gives the place after a value that begins at a place. Only brackets and strings are told apart.
func skipValue(text []byte, at int) (int, error) {
	if at >= len(text) {
		return 0, errShape
	}
	switch text[at] {
	case '"':
		return skipString(text, at)
	case '{', '[':
		return skipNested(text, at)
	}
	end := at
	for end < len(text) && bytes.IndexByte([]byte(",}] \t\r\n"), text[end]) < 0 {
		end++
	}
	if end == at || !json.Valid(text[at:end]) {
		return 0, errShape
	}
	return end, nil
}

func skipNested(text []byte, at int) (int, error) {
	depth := 0
	for at < len(text) {
		switch text[at] {
		case '"':
			end, err := skipString(text, at)
			if err != nil {
				return 0, err
			}
			at = end
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return at + 1, nil
			}
		}
		at++
	}
	return 0, errShape
}
