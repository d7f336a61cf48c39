/**
 * The gate in front of every request over TCP: it answers only for its own host names (DNS rebinding), takes writes,
 * API calls and sockets only from its own pages or from programs that are no browser (CSRF, cross-site WebSockets),
 * and puts the security headers on every answer.
 */
import { ContractError } from "../../lib/contract/errors.ts";
import { hasTexts, SOURCE_LOCALE } from "../../lib/i18n/locale.ts";
import { nonceOf } from "../../lib/fresh/nonce.ts";
import { MCP_PATH } from "../../lib/mcp/protocol.ts";
import { escapeHtml } from "../../lib/text/html.ts";
import { requireUnencoded } from "./body.ts";
import { languageOfRequest, withLocale } from "../i18n/request_locale.ts";

/** Tells the guard whether a `Host` is ours. */
export interface Hosts {
  has(host: string): boolean;
}

/** Methods that change nothing. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** Host names a loopback server answers for, with its port: the usual ones, and the one it listens on. */
export function loopbackHosts(port: number, hostname = "127.0.0.1"): Set<string> {
  const names = [...new Set(["127.0.0.1", "localhost", "[::1]", hostname])];
  return new Set(names.flatMap((name) => port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]));
}

/** Bytes of the largest form. The API counts its bodies itself, while they arrive. */
const FORM_LIMIT = 256 * 1024;

/** A page's form is read whole, so its length must be known and small before anything is read. */
function boundForm(request: Request, path: string): void {
  // They count their bodies themselves, while they arrive
  if (SAFE.has(request.method) || path.startsWith("/api/") || path === MCP_PATH) return;
  requireUnencoded(request.headers);
  const length = request.headers.get("content-length");
  if (length === null && request.headers.has("transfer-encoding")) throw new ContractError("LengthRequired");
  if (Number(length ?? 0) > FORM_LIMIT) throw new ContractError("BodyTooLarge", { limit: FORM_LIMIT });
}

/**
 * Checks where a request comes from, and that a form is not too large.
 *
 * @param request its URL's scheme is the one its client used
 * @param hosts tells `host:port` values this server answers for
 * @throws {ContractError} ForeignHost, ForeignOrigin, ProxyChangesHost, EncodedBody, LengthRequired, BodyTooLarge
 */
export function guard(request: Request, hosts: Hosts): void {
  const host = request.headers.get("host")?.toLowerCase() ?? "";
  if (!hosts.has(host)) throw new ContractError("ForeignHost", { host: host.slice(0, 128) });

  const upgrade = request.headers.has("upgrade");
  const { pathname: path, protocol } = new URL(request.url);
  boundForm(request, path);
  const guarded = !SAFE.has(request.method) || upgrade || path.startsWith("/api/");
  if (!guarded) return;

  const origin = request.headers.get("origin"), site = request.headers.get("sec-fetch-site");
  if (origin !== null && origin !== `${protocol}//${host}`) {
    const said = origin.slice(0, 128);
    // The browser, which no page can have say so, knows of one site only: something between has changed the address.
    if (site === "same-origin") {
      const address = `${protocol}//${host}`.slice(0, 128);
      throw new ContractError("ProxyChangesHost", { origin: said, address });
    }
    throw new ContractError("ForeignOrigin", { origin: said });
  }
  // "none" is a person's own doing (address bar, bookmark); no header at all is a program, not a browser's page.
  if (site !== null && site !== "same-origin" && site !== "none") {
    throw new ContractError("ForeignOrigin", { origin: origin?.slice(0, 128) ?? site.slice(0, 32) });
  }
  // A browser always names the origin of a WebSocket; one without it gets none.
  if (upgrade && origin === null) throw new ContractError("ForeignOrigin", { origin: "none" });
}

/**
 * Nothing inline, nothing foreign, in no frame; a page's own scripts carry its nonce.
 *
 * @param nonce of the page; undefined for what is none
 */
const contentPolicy = (nonce: string | undefined) =>
  `default-src 'none'; script-src 'self'${
    nonce === undefined ? "" : ` 'nonce-${nonce}'`
  }; style-src 'self'; ` +
  "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; " +
  "worker-src 'self'; form-action 'self'; base-uri 'none'; " +
  "frame-ancestors 'none'";

/** Headers of every answer in addition to its content security policy. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Status → seconds after which it is worth trying again, where the error itself says none (RFC 9110, 10.2.3). */
const RETRY_AFTER: Readonly<Record<number, number>> = { 429: 1, 503: 5 };

/**
 * Puts the security headers on an answer. An answer without caching headers is not stored: the next user of a
 * shared computer would find it.
 *
 * @param more further headers of the answer's transport
 */
export function secured(response: Response, more: Readonly<Record<string, string>> = {}): Response {
  const headers = new Headers(response.headers);
  headers.set("content-security-policy", contentPolicy(nonceOf(response)));
  for (const [name, value] of Object.entries({ ...SECURITY_HEADERS, ...more })) headers.set(name, value);
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  const wait = RETRY_AFTER[response.status];
  if (wait !== undefined && !headers.has("retry-after")) headers.set("retry-after", String(wait));
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/** Headers of an answer with this error (RFC 9110: 11.6.1, 15.5.16, 15.5.17; RFC 6585). */
function headersOf({ code, details, status }: ContractError): Record<string, string> {
  if (status === 401) {
    const error = code === "TokenInvalid" ? ', error="invalid_token"' : "";
    return { "www-authenticate": `Bearer realm="KVM Manager"${error}` };
  }
  const wait = RETRY_AFTER[status];
  if (wait !== undefined) {
    const { seconds } = details ?? {};
    return { "retry-after": String(typeof seconds === "number" ? seconds : wait) };
  }
  if (code === "EncodedBody") return { "accept-encoding": "identity" };
  if (code === "RangeNotSatisfiable") return { "content-range": `bytes */${details?.size}` };
  return {};
}

/** An error as every door tells it. */
export function errorResponse(error: ContractError): Response {
  return Response.json(error, {
    status: error.status,
    headers: {
      "cache-control": "no-store",
      ...headersOf(error),
    },
  });
}

/** Whether somebody looks at a page: a browser asks for one by itself, programs ask the API. */
const wantsPage = (request: Request): boolean =>
  !new URL(request.url).pathname.startsWith("/api/") &&
  (request.headers.get("accept") ?? "").includes("text/html");

/** Answer to a request that the gate refuses: a page for browsers, otherwise an error as at every door. */
export function refusalResponse(error: ContractError, request: Request): Response {
  // At once: it refuses who asks too much, and has nothing read for them
  const wanted = languageOfRequest(request), language = hasTexts(wanted) ? wanted : SOURCE_LOCALE;
  return withLocale(language, () => refusalIn(language, error, request));
}

function refusalIn(language: string, error: ContractError, request: Request): Response {
  const plain = errorResponse(error);
  plain.headers.set("content-language", language);
  if (!wantsPage(request)) return plain;
  const headers = new Headers(plain.headers);
  headers.set("content-type", "text/html; charset=utf-8");
  const text = escapeHtml(error.message);
  const html =
    `<!DOCTYPE html>\n<html lang="${language}"><head><meta charset="utf-8"><title>KVM Manager: ${error.status}</title></head>` +
    `<body><h1>KVM Manager refused this request</h1><p>${text}</p></body></html>\n`;
  return new Response(html, { status: error.status, headers });
}
