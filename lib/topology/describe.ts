/** Addresses of the picture of the network. */

/** The page of the picture, with these groups open. */
export function topologyHref(open: readonly string[] = []): string {
  const query = new URLSearchParams(open.map((group) => ["open", group]));
  return `/networks/topology${open.length > 0 ? `?${query}` : ""}`;
}
