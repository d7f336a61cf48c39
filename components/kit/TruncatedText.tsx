import { oneLine } from "../../lib/text/text.ts";

/** A text from elsewhere on one line. Isolated, so that its direction does not change the text next to it. */
export function TruncatedText(
  { text, longest, class: extra = "" }: { text: string; longest?: number; class?: string },
) {
  return <bdi class={`ellipsis ${extra}`.trim()} title={oneLine(text)}>{oneLine(text, longest)}</bdi>;
}
