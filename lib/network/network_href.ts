/** Where a network's page is. Pure. */
import { segmentOf } from "../text/path_segment.ts";

/** The pages besides those of networks. */
const PAGES = ["new", "topology"];

/** Where a network's page is. */
export const networkHref = (name: string): string => `/networks/${segmentOf(name, PAGES)}`;
