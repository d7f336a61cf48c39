/** Pages of the browser as a person without script has them: their links, followed, and what is in their markup. */
import assert from "node:assert/strict";

/** Links that are no pages to look at: files, the event stream, the way out. */
const NOT_OPENED =
  /^\/(?:sign-out|preferences)\b|\/export(?:\?|$)|\/(?:download|screenshot)\b|^\/api\/v1\/(?!reference)/;

/** Parts of a query that make another page of it: sorting, filters and times show the same in another order. */
const ANOTHER_PAGE = [
  "do",
  "kind",
  "form",
  "action",
  "mode",
  "edit",
  "source",
  "vm",
  "host",
  "from",
  "to",
  "target",
  "name",
];

/** More pages than this are no longer looked at one by one: then the test has to be told what makes a page. */
const MOST_PAGES = 400;

/** The page that an address is of. */
function pageOf(address: string): string {
  const { pathname, searchParams } = new URL(address, "http://here");
  if (/^\/(?:api\/v1\/reference|monitoring|insights)$/.test(pathname)) return pathname;
  return `${pathname}?${ANOTHER_PAGE.map((name) => `${name}=${searchParams.get(name) ?? ""}`).join("&")}`;
}

const unescaped = (text: string) =>
  text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
export const attribute = (tag: string, name: string) => {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : unescaped(found);
};

/** Addresses that a page has links to, as paths of ours. */
export function linksIn(html: string, at: string): string[] {
  return [...html.matchAll(/<a\s[^>]*>/g)].map(([tag]) => attribute(tag, "href")).filter((href) =>
    href !== undefined
  )
    .map((href) => new URL(href, `http://here${at}`)).filter(({ host }) => host === "here")
    .map(({ pathname, search }) => pathname + search);
}

/** Questions that buttons of a page lead to, on pages of their own. */
const questionsIn = (html: string) =>
  [...html.matchAll(/<button\s[^>]*formmethod="get"[^>]*>/gi)].map(([tag]) => tag)
    .filter((tag) => !/\sdisabled[\s>]/.test(tag))
    .flatMap((tag) => {
      const to = attribute(tag, "formAction") ?? attribute(tag, "formaction");
      return to === undefined ? [] : [`${to}?action=${attribute(tag, "value")}`];
    });

/**
 * Opens every page that one is led to from the start.
 *
 * @param refused is told of pages that are not given
 * @param start the first page
 * @param isFollowed which links are followed; all of them when left out
 */
export async function visitPages(
  open: (address: string) => Promise<Response>,
  visit: (address: string, html: string) => Promise<void> | void,
  refused: (status: number, address: string, from: string) => void = () => {},
  { start = "/", isFollowed = () => true }: {
    readonly start?: string;
    readonly isFollowed?: (link: string) => boolean;
  } = {},
): Promise<void> {
  const found = new Map([[pageOf(start), { address: start, from: "the start" }]]);
  for (const { address, from } of found.values()) {
    const response = await open(address);
    const html = await response.text();
    if (response.status >= 400 && response.status !== 503 && response.status !== 501) {
      refused(response.status, address, from);
      continue;
    }
    if (!(response.headers.get("content-type") ?? "").startsWith("text/html")) continue;
    for (const link of [...linksIn(html, address), ...questionsIn(html)]) {
      const page = pageOf(link);
      if (!NOT_OPENED.test(link) && isFollowed(link) && !found.has(page)) {
        found.set(page, { address: link, from: address });
      }
      assert.ok(found.size < MOST_PAGES, [...found.keys()].join("\n"));
    }
    await visit(address, html);
  }
}
