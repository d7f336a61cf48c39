import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** Props of {@link Panel}. */
export interface PanelProps {
  title: string;
  /** Next to the title: a count, a link. */
  aside?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}

/** A titled part of a page. */
export function Panel({ title, aside, children, class: extra = "" }: PanelProps) {
  const id = useId();
  return (
    <section class={`panel ${extra}`.trim()} aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
