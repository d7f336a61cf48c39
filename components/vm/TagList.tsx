import { oneLine } from "../../lib/text/text.ts";

/** More than these are counted. */
const SHOWN = 2;

/** A VM's tags, each a link to the VMs that have it. */
export function TagList({ tags, hrefOf }: { tags: readonly string[]; hrefOf: (tag: string) => string }) {
  if (tags.length === 0) return null;
  return (
    <span class="tags">
      {tags.slice(0, SHOWN).map((tag) => (
        <a key={tag} class="tag" href={hrefOf(tag)} title={oneLine(tag)}>
          <bdi>{oneLine(tag, 24)}</bdi>
        </a>
      ))}
      {tags.length > SHOWN && (
        <span class="tag-more" title={oneLine(tags.join(", "))}>+{tags.length - SHOWN}</span>
      )}
    </span>
  );
}
