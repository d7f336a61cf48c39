import type { ComponentChildren } from "preact";
import { Icon } from "./Icon.tsx";

/** A part of the form that most people need not open. It tells when something in it is wrong. */
export function Disclosure(
  { title, wrong, open, children }: {
    title: string;
    wrong: boolean;
    /** Whether it is open until somebody folds it. */
    open?: boolean;
    children: ComponentChildren;
  },
) {
  return (
    <details class="panel folded" open={open}>
      <summary class="panel-head">
        <h2>{title}</h2>
        {wrong && <Icon name="alert" class="bad" />}
      </summary>
      {children}
    </details>
  );
}
