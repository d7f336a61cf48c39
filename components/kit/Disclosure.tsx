import type { ComponentChildren } from "preact";
import { Icon } from "./Icon.tsx";

/** A part of the form that most people need not open. It tells when something in it is wrong. */
export function Disclosure(
  { title, wrong, children }: { title: string; wrong: boolean; children: ComponentChildren },
) {
  return (
    <details class="panel folded">
      <summary class="panel-head">
        <h2>{title}</h2>
        {wrong && <Icon name="alert" class="bad" />}
      </summary>
      {children}
    </details>
  );
}
