/** Warning about a file that may be no disk and no CD. Pure. */
import { type ConfigFinding, WARNINGS } from "../contract/create.ts";
import { type ContentKind, strangeContent } from "../formats/content_kind.ts";
import { fill } from "../i18n/fill.ts";

/** @returns undefined where nothing speaks against its being a disk or a CD */
export function contentWarning(field: string, content: ContentKind, path: string): ConfigFinding | undefined {
  const what = strangeContent(content);
  if (what !== undefined) {
    return { field, code: "StrangeContent", message: fill(WARNINGS.StrangeContent, { path, what }) };
  }
  if (content.kind !== "unknown") return undefined;
  return { field, code: "UnknownContent", message: fill(WARNINGS.UnknownContent, { path }) };
}
