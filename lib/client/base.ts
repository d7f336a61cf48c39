/** The path below which a reverse proxy serves the pages, for what a script asks for or leads to by itself. */
export { currentBasePath as base, withBase as based } from "../fresh/base.ts";
