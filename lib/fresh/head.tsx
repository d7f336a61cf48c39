/** Part of the document's head that is being rendered, so that a page can replace the app's elements. */
import { type ComponentChildren, createContext, type VNode } from "preact";

/** `page`: inside `<Head>`. `document`: inside the `<head>` element itself. `null`: anywhere else. */
export const HeadContext = createContext<"page" | "document" | null>(null);

/**
 * Puts its children into the document's `<head>`. A `<title>`, or an element with the same `key` or the same
 * attributes (content and address aside), replaces the one the app put there.
 *
 * In the browser it renders nothing: the server has already done it.
 */
export function Head({ children }: { children?: ComponentChildren }): VNode | null {
  if (typeof document !== "undefined") return null;
  return <HeadContext.Provider value="page">{children}</HeadContext.Provider>;
}
