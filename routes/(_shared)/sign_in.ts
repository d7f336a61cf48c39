/** Ways to the sign-in, and back to where one was. */
import { hrefOn } from "../../lib/text/host_path.ts";

/** Pages for who is not signed in. */
const PUBLIC: ReadonlySet<string> = new Set(["/sign-in", "/setup", "/preferences"]);

/** Whether a page is for anybody. */
export function isPublic(path: string): boolean {
  return PUBLIC.has(path);
}

/**
 * Sign-in page that leads back to the requested page: a form cannot be sent again, its page can be opened.
 *
 * @param host that the page's address names
 */
export function signInAt(
  { method }: Pick<Request, "method">,
  { pathname, search }: URL,
  host: string | undefined,
): string {
  const page = pathname + search, isRead = method === "GET" || method === "HEAD";
  const to = !isRead ? "/" : host === undefined ? page : hrefOn(host, page);
  return to === "/" ? "/sign-in" : `/sign-in?to=${encodeURIComponent(to.slice(0, 512))}`;
}
