import type { ComponentChildren } from "preact";

/** A table that scrolls sideways where it must, by keyboard too. @param of what it is a table of */
export function ScrollTable({ of, children }: { of: string; children: ComponentChildren }) {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={of}>
      <table class="plain-table">{children}</table>
    </div>
  );
}
