/** A form that was refused is shown again as it was filled in, whichever page it stands on. */
import { HttpError } from "fresh";
import { visitOf } from "../../agent/http/entry.ts";
import { withBase } from "../../lib/fresh/base.ts";
import { nonceOf, setNonce } from "../../lib/fresh/nonce.ts";
import { failureOf } from "../../lib/text/failure.ts";
import { splitHost } from "../../lib/text/host_path.ts";
import { refill, type SentForm } from "../../lib/text/refill.ts";
import { returnPath } from "../../lib/text/return_path.ts";
import type { PageState } from "../../lib/page_state.ts";
import { sentForm } from "./form.ts";

interface Context {
  readonly req: Request;
  readonly url: URL;
  readonly info: Deno.ServeHandlerInfo;
  readonly state: PageState;
}

/** Statuses of refusals that are about the address itself: its page cannot be shown again. */
const OF_ADDRESSES: ReadonlySet<number> = new Set([401, 404, 405, 415]);

const isPage = ({ headers }: Response) => headers.get("content-type")?.startsWith("text/html") ?? false;

/** A page with another text or status, of the same nonce. */
function changed(shown: Response, html: BodyInit | null, status: number): Response {
  const headers = new Headers(shown.headers);
  headers.delete("content-length");
  const response = new Response(html, { status, headers });
  const nonce = nonceOf(shown);
  if (nonce !== undefined) setNonce(response, nonce);
  return response;
}

/** A page with another status. */
export const withStatus = (shown: Response, status: number): Response => changed(shown, shown.body, status);

/** Path and query of the page that a form was sent from; undefined where the browser does not say. */
function referringPage(req: Request, base: string): string | undefined {
  const referrer = URL.parse(req.headers.get("referer") ?? "");
  if (referrer === null || referrer.host !== new URL(req.url).host) return undefined;
  const { path } = splitHost(
    base !== "" && referrer.pathname.startsWith(`${base}/`)
      ? referrer.pathname.slice(base.length)
      : referrer.pathname,
  );
  return path.startsWith("/do/") ? undefined : returnPath(path + referrer.search);
}

/** The page of a form that an error ended: with what was wrong above it. Null where it cannot be shown. */
async function shownAgain({ req, url, info, state }: Context, error: unknown) {
  if (req.method !== "POST" || !(error instanceof HttpError) || sentForm(req) === undefined) return null;
  const failure = failureOf(error);
  if (failure.status >= 500 && failure.code === "Internal" || OF_ADDRESSES.has(failure.status)) return null;
  const refused = { typed: {}, withheld: [], failure };
  for (const path of new Set([referringPage(req, state.base), url.pathname + url.search])) {
    if (path === undefined) continue;
    const shown = await visitOf(info).again(path, refused);
    if (shown.status === 200 && isPage(shown)) return { response: withStatus(shown, failure.status), path };
    await shown.body?.cancel();
  }
  return null;
}

/** Answers a request, and fills the form in again that was sent by it and refused. */
export async function keepingForm(context: Context, next: () => Promise<Response>): Promise<Response> {
  const { req, url } = context;
  let response: Response, page = url.pathname + url.search;
  try {
    response = await next();
  } catch (error) {
    const again = await shownAgain(context, error);
    if (again === null) throw error;
    ({ response, path: page } = again);
  }
  const form = sentForm(req);
  if (form === undefined || response.status < 400 || !isPage(response)) return response;
  const sent: SentForm = {
    address: url.pathname + url.search,
    fields: [...form.fields].filter((field): field is [string, string] => typeof field[1] === "string"),
    isSecret: form.isSecret,
  };
  const shown = form.page ?? page;
  return changed(response, refill(await response.text(), sent, shown, withBase), response.status);
}
