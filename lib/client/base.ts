/** The path below which a reverse proxy serves the pages, for what a script asks for or leads to by itself. */
import { basePath } from "../fresh/base.ts";

export { basePath as base };

/** A path of ours as this browser reaches it. */
export const based = (path: string): string => basePath() + path;
