/** Errors: what was sent, and where it was sent to. */
import type { ErrorKind } from "./kind.ts";

export const INPUT_ERRORS = {
  InvalidInput: { text: "Invalid input: {reason}", status: 400, exit: 2 },
  InvalidJson: { text: "The request body is not valid JSON: {reason}", status: 400, exit: 2 },
  UnsupportedMediaType: {
    text: "Send the input as JSON (Content-Type: application/json)",
    status: 415,
    exit: 2,
  },
  FormExpected: {
    text: "The request body is {type}. Send a form (Content-Type: application/x-www-form-urlencoded)",
    status: 415,
    exit: 2,
  },
  EncodedBody: {
    text: "The request body came with {header}. Send it as it is, without that header.",
    status: 415,
    exit: 2,
  },
  FileExpected: {
    text: "The request body is a form ({type}). Send the file itself as the body: curl -T FILE.",
    status: 415,
    exit: 2,
  },
  NameAmbiguous: {
    text: "{name} is the name of several: {ids}. Say the id of the one that is meant.",
    status: 409,
    exit: 5,
  },
  PreconditionFailed: {
    text: "The content has changed: its ETag is {tag} now, and If-Match names another",
    status: 412,
    exit: 5,
  },
  ThereAlready: {
    text: "There is something already, with the ETag {tag}, and If-None-Match refuses that",
    status: 412,
    exit: 5,
  },
  RangeNotSatisfiable: {
    text: "The range {range} begins beyond the end: the content has {size} bytes",
    status: 416,
    exit: 2,
  },
  BodyTooLarge: { text: "The request body is larger than {limit} bytes", status: 413, exit: 2 },
  LengthRequired: { text: "Say how long the request body is (Content-Length)", status: 411, exit: 2 },
  BodyTimeout: {
    text: "The request body did not arrive within {seconds} seconds",
    status: 408,
    exit: 1,
  },
  UnknownCommand: { text: "Unknown command: {command}", status: 404, exit: 2 },
  NotFound: { text: "Nothing is at {path}", status: 404, exit: 4 },
  MethodNotAllowed: { text: "{method} is not allowed at {path}", status: 405, exit: 2 },
  ForeignOrigin: {
    text: "This request came from another site ({origin}) and was refused",
    status: 403,
    exit: 6,
  },
  ProxyChangesHost: {
    text:
      "The browser has this page from {origin}, but the request reached KVM Manager as one to {address}: a reverse " +
      "proxy between them changes the Host header. Let it pass on the name and the port (nginx: proxy_set_header Host " +
      "$http_host;) and set X-Forwarded-Proto, and name the proxy: serve --trusted-proxy ADDRESS.",
    status: 403,
    exit: 6,
  },
  ForeignHost: {
    text:
      "This server does not answer for the host name {host}. Open it by a name or an address of its own, or have it " +
      "answer for this name: serve --host-name NAME. A reverse proxy must pass on the Host header.",
    status: 421,
    exit: 6,
  },
  PlainHttp: {
    text:
      "The reverse proxy passed on a request for {host} that came to it without TLS. Serve HTTPS there, and let it set X-Forwarded-Proto",
    status: 403,
    exit: 6,
  },
  Forbidden: { text: "This needs the role {role}", status: 403, exit: 6 },
} as const satisfies Record<string, ErrorKind>;
