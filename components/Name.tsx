import { oneLine } from "../lib/format/text.ts";

/** A text from elsewhere on one line. Isolated, so that its direction does not turn what stands beside it around. */
export function Name(
  { text, longest, class: extra = "" }: { text: string; longest?: number; class?: string },
) {
  return <bdi class={`ellipsis ${extra}`.trim()} title={oneLine(text)}>{oneLine(text, longest)}</bdi>;
}
