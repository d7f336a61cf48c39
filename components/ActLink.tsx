import type { ComponentChildren } from "preact";

/** Props of {@link ActLink}. */
export interface ActLinkProps {
  class: string;
  /** Where it leads without script. */
  href: string;
  enabled: boolean;
  /** What it does instead, in place; without it the link is followed. */
  onAct?: () => void;
  "aria-label"?: string;
  children: ComponentChildren;
}

/** A link that can be switched off: still a link to screen readers, that says it cannot be used now. */
export function ActLink({ href, enabled, onAct, children, ...shown }: ActLinkProps) {
  return (
    <a
      {...shown}
      href={enabled ? href : undefined}
      role={enabled ? undefined : "link"}
      aria-disabled={enabled ? undefined : "true"}
      {...(onAct && {
        onClick: (event: Event) => {
          event.preventDefault();
          if (enabled) onAct();
        },
      })}
    >
      {children}
    </a>
  );
}
