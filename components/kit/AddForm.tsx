import type { ComponentChildren } from "preact";

/** A form that adds to the table above it, out of the way until it is wanted. Opens without script, too. */
export function AddForm({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <details class="add-form">
      <summary>{title}</summary>
      {children}
    </details>
  );
}
