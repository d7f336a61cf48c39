import { h } from "preact";
import { type IconName, type IconNode, ICONS } from "./icons.ts";

/** An icon next to a word that says the same: hidden from screen readers. */
export function Icon({ name, class: extra }: { name: IconName; class?: string }) {
  const nodes: readonly IconNode[] = ICONS[name];
  return (
    <svg class={extra === undefined ? "icon" : `icon ${extra}`} viewBox="0 0 24 24" aria-hidden="true">
      {nodes.map(([tag, attributes], index) => h(tag, { key: index, ...attributes }))}
    </svg>
  );
}
