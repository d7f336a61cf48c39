// Package wire is the protocol without what it is used for: lines, requests, answers and error codes. See PROTOCOL.md.
package wire

// Limits of the protocol; the host knows them from get_agent_info.
const (
	// MaxLine is the longest line in either direction, without its end.
	MaxLine = 512 * 1024
	// MaxChunk is how many bytes of a file, of input or of output one message has at most.
	MaxChunk = 256 * 1024
	// MaxID is the longest id, as JSON.
	MaxID = 66
	// Version is the newest protocol version this agent speaks; VersionMin the oldest.
	Version    = 1
	VersionMin = 1
)

// Codes of JSON-RPC 2.0, and ours from the range it leaves to servers.
const (
	ParseError     = -32700
	InvalidRequest = -32600
	MethodNotFound = -32601
	InvalidParams  = -32602
	InternalError  = -32603

	Failed           = -32000
	NoCommonVersion  = -32001
	Denied           = -32002
	TimedOut         = -32003
	Busy             = -32004
	Unsupported      = -32005
	NotFound         = -32006
	Frozen           = -32007
	TooLarge         = -32008
	Cancelled        = -32009
	ChecksumMismatch = -32010
)

// Error is what an answer carries instead of a result.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// maxMessage bounds what an error says: file names and foreign programs' words get into it.
const maxMessage = 1000

// Fail makes an error of the protocol.
func Fail(code int, message string) *Error {
	if len(message) > maxMessage {
		message = message[:maxMessage] + "…"
	}
	return &Error{Code: code, Message: message}
}
