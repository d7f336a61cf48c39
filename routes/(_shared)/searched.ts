/** Search of a list of all hosts, in the list's address. */
import type { Input } from "../../lib/contract/mod.ts";

/** Text, host and page. What no such list takes is left out. */
export function searchedIn(
  query: URLSearchParams,
): Pick<Input<"search_jobs">, "text" | "host" | "cursor"> {
  const text = query.get("text")?.trim().slice(0, 64), host = query.get("host")?.trim() ?? "";
  const cursor = query.get("cursor") ?? "";
  return {
    ...(text && { text }),
    ...(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/.test(host) && { host }),
    ...(/^[A-Za-z0-9_-]{1,8192}$/.test(cursor) && { cursor }),
  };
}
