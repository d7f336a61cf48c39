/** Address of a network's page. Pure. */
import { segmentOf } from "../text/path_segment.ts";

/** The pages besides those of networks. */
const PAGES = ["new", "topology"];

/** `new` and `topology` are marked: pages have these names. */
export const networkHref = (name: string): string => `/networks/${segmentOf(name, PAGES)}`;
