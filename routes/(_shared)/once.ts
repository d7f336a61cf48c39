/** A form that is sent twice by one double-click is carried out once: both get the same answer, with script and without. */
import { unlessClientGone } from "./client_gone.ts";
import { nonceOf, setNonce } from "../../lib/fresh/nonce.ts";

/** Milliseconds after which the same form is meant again; while it is carried out, it never is. One that was refused is at once. */
const AGAIN_MS = 600;
/** Forms that are meant twice where they are sent twice: keys that are pressed, programs that are run. */
const REPEATED = /^\/(?:preferences$|do\/(?:send_keys|guest_exec\w*)$)/;
const FORM = /^(?:application\/x-www-form-urlencoded|multipart\/form-data)\b/i;

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string | null;
  readonly nonce: string | undefined;
}

interface Sent {
  readonly holder: string;
  readonly answer: Promise<Answered>;
  /** Whether it was carried out: its answer is kept for the second click alone. */
  isOver: boolean;
}

/** Forms that were sent just now: holder, address and content → the answer. */
const sent = new Map<string, Sent>();

/** Another form of the same holder comes after it: on, off and on are three. */
function forgetOthers(holder: string): void {
  for (const [key, each] of sent) if (each.holder === holder && each.isOver) sent.delete(key);
}

async function kept(answer: Promise<Response>): Promise<Answered> {
  const response = await answer;
  return {
    status: response.status,
    headers: response.headers,
    body: response.body === null ? null : await response.text(),
    nonce: nonceOf(response),
  };
}

function responseOf({ status, headers, body, nonce }: Answered): Response {
  const response = new Response(body, { status, headers: new Headers(headers) });
  if (nonce !== undefined) setNonce(response, nonce);
  return response;
}

/**
 * Answers a request; a form that is the same as one just now, with that one's answer.
 *
 * @param holder of the session
 */
export async function onlyOnce(
  req: Request,
  holder: string,
  run: () => Promise<Response>,
): Promise<Response> {
  const { pathname, search } = new URL(req.url);
  const isForm = req.method === "POST" && FORM.test(req.headers.get("content-type") ?? "");
  if (!isForm || REPEATED.test(pathname)) return await run();
  const content = await unlessClientGone(req.clone().text());
  const key = [holder, pathname + search, req.headers.get("accept") ?? "", content].join("\n");
  const before = sent.get(key);
  if (before !== undefined) return responseOf(await before.answer);
  forgetOthers(holder);
  const answer = kept(run()), entry: Sent = { holder, answer, isOver: false };
  sent.set(key, entry);
  const since = performance.now();
  const forget = () => {
    if (sent.get(key) === entry) sent.delete(key);
  };
  answer.then(({ status }) => {
    entry.isOver = true;
    if (status >= 400) return forget();
    Deno.unrefTimer(setTimeout(forget, Math.max(0, AGAIN_MS - (performance.now() - since))));
  }, forget);
  return responseOf(await answer);
}
